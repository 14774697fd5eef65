"""The least that a Python gRPC server can do: asyncio, one method, the same bytes to every caller.

Its requests: {"answer": bytes in base64} sets the bytes and replies with the address; {} replies with it again.
"""

import asyncio
import base64
import threading

from benchmarks.peers.answering import answer

METHOD = "/echo.Echo/Ask"


def prepare():
    """Starts the server in a thread of its own, which is all that this process does."""
    import grpc

    state, started = {"answer": b""}, threading.Event()

    async def ask(request, context):
        return state["answer"]

    async def serve():
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(ask)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", {"Ask": handler})])
        state["address"] = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        started.set()
        await server.wait_for_termination()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    started.wait()

    def reply_to(request):
        if "answer" in request:
            state["answer"] = base64.b64decode(request["answer"])
        return {"address": state["address"]}

    return reply_to


if __name__ == "__main__":
    answer(prepare, ("grpcio",))
