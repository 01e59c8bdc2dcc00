"""Every provider can be chosen: a class that create_provider() does not return would never be used."""

import ast
import inspect
from pathlib import Path

import workers.providers


def test_every_provider_can_be_chosen() -> None:
    chosen = inspect.getsource(workers.providers.create_provider)
    (folder,) = workers.providers.__path__
    trees = [ast.parse(file.read_text()) for file in Path(folder).glob("*.py")]
    classes = [node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    providers = [name for name in classes if name.endswith("Provider") and name != "Provider"]
    assert len(providers) >= 2
    assert [name for name in providers if f"return {name}(" not in chosen] == []
