"""Tests of the event loop, each on asyncio's own loop and on Corrente's."""
