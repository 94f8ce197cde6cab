"""The service: aiohttp application, queue, store."""
