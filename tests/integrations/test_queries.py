"""Database queries on a request's event: SQLAlchemy's and Django's, counted and timed."""

import asyncio
import subprocess
import sys
import threading

import httpx
import pytest
import sqlalchemy
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from fastapi import Depends, FastAPI
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

import flowery_logging
from flowery_logging import ConfigError
from flowery_logging.integrations import fastapi, sqlalchemy as flowery_sqlalchemy
from tests.integrations import django_site

SELECT = sqlalchemy.text("SELECT 1")
SECRET = "hunter2"


def access_events(logged):
    return [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]


def costs(logged):
    """Number and time of the queries on the access event, and its duration in milliseconds."""
    (event,) = access_events(logged)
    numbers = event["numeric_labels"]
    found = numbers.get("database_queries"), numbers.get("database_queries_sum_ms")
    return *found, event["event"]["duration"] / 1e6


def current():
    """The request that the test runs in."""
    found = flowery_logging.context.current_request()
    assert found is not None
    return found


def counted(request):
    return 0 if request.spent is None else request.spent.queries


@pytest.fixture
def engine():
    """An engine that is followed, with one database for all threads."""
    made = sqlalchemy.create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    flowery_sqlalchemy.instrument(made)
    yield made
    flowery_sqlalchemy.uninstrument(made)
    made.dispose()


def ask_database(engine, times=1):
    with engine.connect() as connection:
        for _ in range(times):
            connection.execute(SELECT)


@pytest.fixture
def asked(logged, serve):
    """Serve an endpoint with FastAPI, ask once, and return what its event tells of queries."""

    def asking(endpoint):
        app = FastAPI()
        app.add_api_route("/", endpoint)
        fastapi.instrument(app)
        assert httpx.get(serve(app)).status_code == 200
        serve.stop()
        return costs(logged)

    return asking


def test_queries_of_a_def_endpoint_and_of_what_it_depends_on(asked, engine):
    def session():
        with Session(engine) as made:
            yield made

    def endpoint(session: Session = Depends(session)):
        session.execute(SELECT)
        session.execute(SELECT)

    queries, spent, duration = asked(endpoint)
    assert queries == 2
    assert 0 < spent < duration


def test_queries_of_an_async_engine_in_tasks_beside_each_other(asked, tmp_path):
    made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    flowery_sqlalchemy.instrument(made)

    async def ask():
        async with made.connect() as connection:
            await connection.execute(SELECT)

    async def endpoint():
        await asyncio.gather(*(ask() for _ in range(5)))
        await made.dispose()

    assert asked(endpoint)[0] == 5


def test_queries_of_threads_that_work_for_the_request(asked, engine):
    def endpoint():
        ours = threading.Thread(target=flowery_logging.carried(ask_database), args=(engine, 3))
        others = threading.Thread(target=ask_database, args=(engine, 4))
        for thread in (ours, others):
            thread.start()
            thread.join()
        ask_database(engine, 2)

    assert asked(endpoint)[0] == 5


@pytest.mark.slow
def test_requests_beside_each_other_have_their_own_queries(logged, serve, engine):
    app = FastAPI()

    @app.get("/{times}")
    def endpoint(times: int):
        for _ in range(times):
            ask_database(engine)

    fastapi.instrument(app)
    url = serve(app)
    threads = [threading.Thread(target=httpx.get, args=(f"{url}/{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    serve.stop()
    found = {
        e["url"]["path"]: e["numeric_labels"].get("database_queries") for e in access_events(logged)
    }
    assert found == {f"/{n}": n or None for n in range(8)}


def test_a_query_that_fails_is_counted_once_and_fails_as_before(asked, engine):
    def endpoint():
        with engine.connect() as connection:
            with pytest.raises(sqlalchemy.exc.OperationalError):
                connection.execute(sqlalchemy.text("SELECT nothing FROM nowhere"))
            with pytest.raises(sqlalchemy.exc.StatementError):
                connection.execute(sqlalchemy.text("SELECT :missing"), {"x": 1})  # never gets there
            connection.execute(SELECT)

    queries, spent, _ = asked(endpoint)
    assert queries == 2
    assert spent > 0


@pytest.mark.slow
def test_a_query_that_is_cancelled_is_counted(asked):
    made = create_async_engine("sqlite+aiosqlite://")
    flowery_sqlalchemy.instrument(made)
    begun = asyncio.Event()
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000000)"

    async def endpoint():
        async def ask(connection):
            await connection.execute(sqlalchemy.text(f"{numbers} SELECT count(*) FROM n"))

        @event.listens_for(made.sync_engine, "before_cursor_execute")
        def beginning(*_):
            begun.set()

        connection = await made.connect()
        task = asyncio.create_task(ask(connection))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await connection.close()
        await made.dispose()

    assert asked(endpoint)[0] == 1


def test_many_rows_at_once_are_one_query(asked, engine):
    def endpoint():
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE t (a integer)"))
            connection.execute(
                sqlalchemy.text("INSERT INTO t VALUES (:a)"), [{"a": n} for n in range(9)]
            )

    assert asked(endpoint)[0] == 2


def test_what_others_ask_inside_their_listener_leaves_each_query_its_time(asked, engine):
    def listening(connection, cursor, statement, *_):
        if "SELECT 1" in statement:
            connection.execute(sqlalchemy.text("SELECT 2"))

    event.listen(engine, "before_cursor_execute", listening)
    assert asked(lambda: ask_database(engine))[0] == 2


def test_text_and_parameters_are_on_no_line(asked, engine, logged):
    def endpoint():
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT :key"), {"key": SECRET})

    assert asked(endpoint)[0] == 1
    whole = b"".join(logged.lines())
    assert SECRET.encode() not in whole
    assert b"SELECT" not in whole


def test_outside_of_a_request_nothing_is_counted_and_after_it_neither(logged, engine):
    ask_database(engine)
    with flowery_logging.continue_trace({}):
        request = current()
        ask_database(engine)
    with flowery_logging.context.inside(flowery_logging.context.whole(request)):
        ask_database(engine)
    assert counted(request) == 1


def test_all_engines_may_be_followed_and_each_query_counts_once(asked):
    flowery_sqlalchemy.instrument()
    made = sqlalchemy.create_engine("sqlite://")
    try:
        for _ in range(2):
            flowery_sqlalchemy.instrument()
            flowery_sqlalchemy.instrument(made)
        assert asked(lambda: ask_database(made))[0] == 1
    finally:
        flowery_sqlalchemy.uninstrument()
        flowery_sqlalchemy.uninstrument(made)


@pytest.mark.parametrize("everywhere", [True, False])
def test_it_can_be_undone(asked, everywhere):
    made = sqlalchemy.create_engine("sqlite://")
    given = [] if everywhere else [made]
    flowery_sqlalchemy.instrument(*given)
    for _ in range(2):
        flowery_sqlalchemy.uninstrument(*given)
    assert asked(lambda: ask_database(made))[0] is None


@pytest.mark.parametrize("wrong", ["sqlite://", object(), sqlalchemy.Engine])
def test_what_is_no_engine_is_refused(wrong):
    for do in (flowery_sqlalchemy.instrument, flowery_sqlalchemy.uninstrument):
        with pytest.raises(TypeError, match="expected an Engine or AsyncEngine"):
            do(wrong)


# Django


@pytest.fixture
def site(tmp_path):
    """Django with a database in a file, its queries followed as the option says."""
    django_site.configure(LOGGING_CONFIG=None)
    from django.db import connections
    from django.test import override_settings

    from flowery_logging.integrations import django_queries

    database = connections.settings["default"]
    known = database["NAME"]
    database["NAME"] = str(tmp_path / "shop.db")  # connections to a file can be closed
    with override_settings(FLOWERY_REQUESTS={"database_queries": True}):
        yield django_queries
    django_queries.uninstrument()
    connections.close_all()
    database["NAME"] = known


def get(path, *, under):
    if under == "wsgi":
        transport = httpx.WSGITransport(WSGIHandler())
        with httpx.Client(transport=transport, base_url="http://site.test") as client:
            return client.get(path)

    async def main():
        transport = httpx.ASGITransport(ASGIHandler())
        async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
            return await client.get(path)

    return asyncio.run(main())


@pytest.mark.parametrize("under", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("path", "expected"), [("/queries/3/", 3), ("/queries-async/3/", 9), ("/queries/0/", None)]
)
def test_queries_of_djangos_views(logged, site, under, path, expected):
    assert get(path, under=under).status_code == 200
    queries, spent, _ = costs(logged)
    assert queries == expected
    assert (spent or 0) > 0 or not expected


def test_queries_of_a_connection_that_was_open_before_and_of_one_that_is_opened_again(logged, site):
    from django.db import connection

    django_site.ask_database(1)
    site.instrument()
    with flowery_logging.continue_trace({}):
        request = current()
        django_site.ask_database(2)
        assert counted(request) == 2
        connection.close()
        django_site.ask_database(3)
        assert counted(request) == 5


def test_a_query_of_django_that_fails_is_counted(logged, site):
    from django.db import DatabaseError, connection

    site.instrument()
    with flowery_logging.continue_trace({}):
        request = current()
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("SELECT nothing FROM nowhere")
    assert counted(request) == 1


def test_what_others_install_meanwhile_is_taken_off_by_them_and_ours_stays(logged, site):
    from django.db import connection

    def theirs(execute, *args):
        return execute(*args)

    site.instrument()
    with connection.execute_wrapper(theirs):
        django_site.ask_database(1)  # it is opened, and followed, inside of their block
        assert theirs in connection.execute_wrappers
    assert connection.execute_wrappers != []
    assert theirs not in connection.execute_wrappers
    with flowery_logging.continue_trace({}):
        request = current()
        django_site.ask_database(2)
    assert counted(request) == 2


def test_djangos_connections_are_left_as_they_were(logged, site):
    from django.db import connection

    site.instrument()
    django_site.ask_database(1)
    site.instrument()
    assert len(connection.execute_wrappers) == 1
    for _ in range(2):
        site.uninstrument()
        assert connection.execute_wrappers == []
    connection.close()
    django_site.ask_database(1)
    assert connection.execute_wrappers == []


@pytest.mark.slow
def test_nothing_is_hooked_or_imported_unless_it_is_asked_for():
    program = """
import sys
from tests.integrations import django_site
django_site.configure(LOGGING_CONFIG=None)
from django.core.handlers.wsgi import WSGIHandler
from django.db.backends.signals import connection_created
from flowery_logging.integrations import asgi, celery, fastapi, wsgi
WSGIHandler()
assert not connection_created.receivers
found = [name for name in sys.modules if "django_queries" in name or "sqlalchemy" in name]
assert not found, found
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_a_wrong_value_of_the_option_fails_as_the_others_do(site, wrong):
    from django.test import override_settings

    from flowery_logging.integrations.django import RequestMiddleware
    from flowery_logging.integrations.django_checks import check_logging

    with override_settings(FLOWERY_REQUESTS={"database_queries": wrong}):
        with pytest.raises(ConfigError, match="database_queries: expected True or False"):
            RequestMiddleware(lambda _: None)
        found = {message.id: message for message in check_logging(None)}
        assert "database_queries" in found["flowery.E001"].msg
        assert "database_queries" in found["flowery.E001"].hint


def test_only_django_has_the_option():
    with pytest.raises(ConfigError, match="unknown option 'database_queries'"):
        fastapi.instrument(FastAPI(), database_queries=True)  # type: ignore[call-arg]
