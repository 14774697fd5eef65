import threading

from serving.server.prometheus import Counter, Histogram, exponential, page


def test_the_page_of_the_real_servers_own_test():
    counter = Counter("/test/path/total", "name")
    counter.add(('"abc\\"',), 2)
    histogram = Histogram("/test/path/histogram", "status", limits=exponential(1, 2, 10))
    for amount in (2, 20, 200):
        histogram.add(("good",), amount)
    lines = page([counter, histogram]).splitlines()
    assert lines[0] == "# TYPE :test:path:histogram histogram"
    assert lines[1:4] == [
        f':test:path:histogram_bucket{{status="good",le="{limit}"}} {count}'
        for limit, count in ((1, 0), (2, 0), (4, 1))
    ]
    assert lines[11:14] == [
        ':test:path:histogram_bucket{status="good",le="+Inf"} 3',
        ':test:path:histogram_sum{status="good"} 222',
        ':test:path:histogram_count{status="good"} 3',
    ]
    assert lines[14:] == ["# TYPE :test:path:total counter", ':test:path:total{name="\\"abc\\\\\\""} 2']


def test_what_was_never_counted_has_its_type_alone():
    assert page([Counter("/a/b", "x")]) == "# TYPE :a:b counter\n"


def test_limits_are_written_with_six_digits():
    histogram = Histogram("/t", "x", limits=exponential(10, 1.8, 33))
    histogram.add(("a\nb",), 700_000)
    text = page([histogram])
    assert ':t_bucket{x="a\\nb",le="708235"} 1' in text and 'le="393464"} 0' in text and text.count("_bucket") == 34


def test_many_threads_lose_nothing():
    counter, histogram = Counter("/c", "x"), Histogram("/h", "x", limits=[1.0])

    def count():
        for _ in range(1000):
            counter.add(("a",))
            histogram.add(("a",), 2)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counter.lines())[1] == ':c{x="a"} 4000' and list(histogram.lines())[-1] == ':h_count{x="a"} 4000'
