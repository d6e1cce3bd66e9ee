"""What tests of several layers share: deadlines, free ports, real servers, leak checks.

Import from here, not from the modules below: ``from tests.support import deadline``.
"""

from tests.support.deadlines import deadline, eventually
from tests.support.leaks import Leaks, no_leaks
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.proxy import TcpProxy
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess
from tests.support.session import once, scratch

__all__ = [
    "Leaks",
    "PostgresServer",
    "RedisServer",
    "ServerProcess",
    "TcpProxy",
    "deadline",
    "eventually",
    "free_port",
    "no_leaks",
    "once",
    "scratch",
]
