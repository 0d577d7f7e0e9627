"""Await a coroutine from a test, whatever else runs in its process: a browser's driver may keep an event loop there."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def finished(coroutine):
    """What it returns."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
