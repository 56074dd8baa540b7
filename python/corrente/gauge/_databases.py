"""Drivers of databases: queries, commits and connecting are calls that wait.

SQLAlchemy and Django come through these. Drivers in Python get wrappers in their classes; those in
C make connections of a subclass of ours, because their own classes cannot be changed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from corrente.gauge._calls import Resources, awaited, awaited_part, call, part, safely
from corrente.gauge._foreign import (
    Foreign,
    Function,
    replace,
    replace_class_method,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corrente._native import Recorder


def _resources(recorder: Recorder, driver: str, library: str) -> Resources:
    recorder.watch(f"{driver} {version_of(library)}".strip())
    return Resources(recorder, "database", driver)


def watch_psycopg(recorder: Recorder, module: Foreign) -> None:
    """Psycopg 3: every exchange with the server goes through `wait`."""
    resources = _resources(recorder, "psycopg", "psycopg")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return _of_connection(resources, self)

    def connecting(
        _cls: Foreign, conninfo: Foreign = "", *_args: Foreign, **details: Foreign
    ) -> int:
        parser = importlib.import_module("psycopg.conninfo")
        told = parser.conninfo_to_dict(conninfo, **_connection_words(details))
        return resources.at(told.get("host"), told.get("port") or 5432)

    found, connected = safely(find, local), safely(connecting, local)
    if hasattr(module, "AsyncConnection"):
        replace(module.AsyncConnection, "wait", awaited(resources, found))
        replace_class_method(module.AsyncConnection, "connect", awaited_part(resources, connected))
    else:
        recorder.enter("psycopg")
        replace(module.Connection, "wait", call(resources, found))
        replace(module.Connection, "execute", call(resources, found))
        for name in ("commit", "rollback"):
            replace(module.Connection, name, _ending(resources, found))
        replace_class_method(module.Connection, "connect", part(resources, connected))


def _of_connection(resources: Resources, connection: Foreign) -> int:
    known: int | None = getattr(connection, "_corrente_resource", None)
    if known is None:
        known = resources.at(connection.pgconn.host, connection.pgconn.port)
        connection._corrente_resource = known
    return known


def _ending(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a commit or rollback, which is no call where no transaction has begun.

    Pools and `with` end every use of a connection so, and the server hears nothing of most.
    """

    def make(original: Function) -> Function:
        as_call, as_part = call(resources, find)(original), part(resources, find)(original)

        def ends(self: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            return (as_part if _is_idle(self) else as_call)(self, *args, **details)

        return ends

    return make


def _is_idle(connection: Foreign) -> bool:
    try:
        idle: bool = connection.pgconn.transaction_status == _IDLE
    except Exception:
        # What it is will be told to the program, by its own call.
        return False
    return idle


#: libpq's `PQTRANS_IDLE`: connected, and in no transaction.
_IDLE = 0


def watch_psycopg_cursors(recorder: Recorder, module: Foreign) -> None:
    """Psycopg 3 where programs enter it: it computes before and after an exchange."""
    resources = Resources(recorder, "database", "psycopg")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return _of_connection(resources, self.connection)

    for name in ("execute", "executemany"):
        replace(module.Cursor, name, call(resources, safely(find, local)))


def _connection_words(details: dict[str, Foreign]) -> dict[str, Foreign]:
    return {name: details[name] for name in ("host", "port") if details.get(name)}


def watch_psycopg2(recorder: Recorder, module: Foreign) -> None:
    """psycopg2: in C; `connect` makes connections of our subclass."""
    resources = _resources(recorder, "psycopg2", "psycopg2")
    local = resources.at(None)
    extensions = module.extensions

    def at(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.info.host, self.info.port)

    def connecting(dsn: Foreign = None, *_args: Foreign, **details: Foreign) -> int:
        told = extensions.parse_dsn(dsn) if dsn else details
        return resources.at(told.get("host"), told.get("port") or 5432)

    subclass = _Subclasses(
        resources, safely(at, local), lambda cursor: cursor.connection, extensions.cursor
    )

    def make(original: Function) -> Function:
        connect = part(resources, safely(connecting, local))(original)

        def with_factory(
            dsn: Foreign = None,
            connection_factory: Foreign = None,
            *args: Foreign,
            **details: Foreign,
        ) -> Foreign:
            factory = connection_factory or extensions.connection
            if isinstance(factory, type):
                factory = subclass.of_connection(factory, "cursor_factory")
            return connect(dsn, factory, *args, **details)

        return with_factory

    replace(module, "connect", make)


def watch_sqlite3(recorder: Recorder, module: Foreign) -> None:
    """sqlite3: in C; a file of this machine, whose name is nobody's business."""
    resources = _resources(recorder, "sqlite3", "sqlite3")
    local = resources.at(None)
    subclass = _Subclasses(resources, lambda *_: local, lambda cursor: cursor, module.Cursor)

    def make(original: Function) -> Function:
        def connect(*args: Foreign, **details: Foreign) -> Foreign:
            factory = details.get("factory", module.Connection)
            if len(args) <= _SQLITE_FACTORY and isinstance(factory, type):
                details["factory"] = subclass.of_connection(factory, "factory")
            return original(*args, **details)

        return connect

    replace(module, "connect", make)
    if hasattr(module, "dbapi2"):
        module.dbapi2.connect = module.connect


#: Place of `factory` among the positional arguments of `sqlite3.connect`.
_SQLITE_FACTORY = 5


class _Subclasses:
    """Subclasses of the connections and cursors of a driver in C, one for each of theirs."""

    def __init__(
        self,
        resources: Resources,
        find: Callable[..., int],
        connection_of: Callable[[Foreign], Foreign],
        cursor: type,
    ) -> None:
        self._resources = resources
        self._find = find
        self._connection_of = connection_of
        self._cursor = cursor
        self._made: dict[type, type] = {}

    def of_connection(self, base: type, factory_name: str) -> type:
        """Give the subclass; its cursors are ours too. `factory_name` is the driver's word."""
        made = self._made.get(base)
        if made is not None:
            return made
        owner = self

        def cursor(self: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            # sqlite3 takes the factory as its only positional argument, psycopg2 as the second.
            chosen = details.pop(factory_name, None)
            if chosen is None and args and isinstance(args[-1], type):
                *args, chosen = args  # type: ignore[assignment]
            chosen = chosen or getattr(self, "cursor_factory", None) or owner._cursor
            if isinstance(chosen, type):
                chosen = owner._of_cursor(chosen)
            return base.cursor(self, *args, **{factory_name: chosen}, **details)  # type: ignore[attr-defined]

        # sqlite3's connections execute too, and do not ask our cursor for it.
        names = ("commit", "rollback", "execute", "executemany", "executescript")
        body = {"cursor": cursor} | self._calls(base, names, self._find)
        return self._make(base, body)

    def _of_cursor(self, base: type) -> type:
        made = self._made.get(base)
        if made is not None:
            return made

        def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
            return owner._find(owner._connection_of(self))

        owner = self
        names = ("execute", "executemany", "executescript", "callproc", "copy_expert")
        return self._make(base, self._calls(base, names, find))

    def _calls(
        self, base: type, names: Iterable[str], find: Callable[..., int]
    ) -> dict[str, Function]:
        make = call(self._resources, find)
        return {name: make(getattr(base, name)) for name in names if hasattr(base, name)}

    def _make(self, base: type, body: dict[str, Foreign]) -> type:
        like = {"__module__": base.__module__, "__qualname__": base.__qualname__}
        made = type(base.__name__, (base,), body | like | {"__doc__": base.__doc__})
        self._made[base] = made
        # A subclass that is asked for again is its own.
        self._made[made] = made
        return made


def watch_asyncpg(recorder: Recorder, module: Foreign) -> None:
    """asyncpg: queries of connections and of prepared statements."""
    resources = _resources(recorder, "asyncpg", "asyncpg")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        address = self._addr
        return resources.at(*address[:2]) if isinstance(address, tuple) else local

    make = awaited(resources, safely(find, local))
    for name in ("execute", "executemany", "fetch", "fetchval", "fetchrow", "fetchmany"):
        if hasattr(module.Connection, name):
            replace(module.Connection, name, make)


def watch_asyncpg_statements(recorder: Recorder, module: Foreign) -> None:
    """The prepared statements of asyncpg."""
    resources = Resources(recorder, "database", "asyncpg")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        address = self._connection._addr
        return resources.at(*address[:2]) if isinstance(address, tuple) else local

    make = awaited(resources, safely(find, local))
    for name in ("fetch", "fetchval", "fetchrow", "fetchmany", "executemany"):
        if hasattr(module.PreparedStatement, name):
            replace(module.PreparedStatement, name, make)


def watch_pymysql(recorder: Recorder, module: Foreign) -> None:
    """PyMySQL: in Python, all through the connection."""
    _watch_mysql(_resources(recorder, "pymysql", "pymysql"), module.Connection)


def watch_mysqlclient(recorder: Recorder, module: Foreign) -> None:
    """mysqlclient: a connection in Python around one in C."""
    _watch_mysql(_resources(recorder, "mysqlclient", "MySQLdb"), module.Connection)


def _watch_mysql(resources: Resources, connection: type) -> None:
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(getattr(self, "host", None), getattr(self, "port", None))

    found = safely(find, local)
    for name in ("query", "commit", "rollback"):
        if hasattr(connection, name):
            replace(connection, name, call(resources, found))
    if "connect" in connection.__dict__:
        replace(connection, "connect", part(resources, found))


#: What is called when a module has been imported.
HOOKS: dict[str, Callable[[Recorder, Foreign], None]] = {
    "psycopg.connection": watch_psycopg,
    "psycopg.connection_async": watch_psycopg,
    "psycopg.cursor": watch_psycopg_cursors,
    "psycopg2": watch_psycopg2,
    "sqlite3": watch_sqlite3,
    "asyncpg.connection": watch_asyncpg,
    "asyncpg.prepared_stmt": watch_asyncpg_statements,
    "pymysql.connections": watch_pymysql,
    "MySQLdb.connections": watch_mysqlclient,
}
