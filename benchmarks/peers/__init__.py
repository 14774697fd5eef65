"""The sides of the paired benchmarks, a process each; every file runs by the interpreter that has its packages."""
