"""Erased is erased while all programs run: neither their files nor their logs have any text of a deleted account."""

from uuid import uuid4

from tests.e2e.person import Person
from tests.edge.erased.files import REDIS, Disk
from tests.environment import environment
from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.services.guard import Guard
from tests.services.programs import Programs
from tests.services.redis import RedisServer
from tests.services.sqlite import SqliteDatabases


def test_no_text_of_a_deleted_account_is_left(
    guard: Guard, sqlite_databases: SqliteDatabases, fake_model: FakeModel
) -> None:
    needle = f"needle{uuid4().hex}"
    with sqlite_databases.fresh() as url, RedisServer(guard, "erased-redis") as redis:
        disk, data = Disk(url, redis.folder), guard.folder / "erased-data"
        settings = environment(url, redis.url, data, fake_model.base_url)
        with Programs(guard, "erased", settings) as programs, Person(programs.url) as person:
            _talk(person, needle)
            eventually(lambda: REDIS in disk.has(needle), within=5)
            programs["sweeper"].kill()  # the next one looks at once whether something was deleted
            receipt = person.http.request("DELETE", "/me", json={"password": person.password})
            assert receipt.json()["messages"] == 2
            programs["sweeper"].start()
            eventually(lambda: not disk.has(needle) | disk.has(person.email), within=15)
            assert needle not in programs.logs
            assert person.email not in programs.logs


def _talk(person: Person, needle: str) -> None:
    chat = f"/chats/{person.post('/chats', title=f'A title with “{needle}”')['id']}"
    posted = person.post(f"{chat}/messages", content=f"A question with {needle} in it")
    reply = f"{chat}/messages/{posted['reply']['id']}"
    eventually(lambda: needle in person.get(reply)["content"] and person.get(reply)["status"] == "completed", within=15)
