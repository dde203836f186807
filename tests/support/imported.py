"""All that a command may import, so that a process that is forked from this one need not."""

import importlib
import pkgutil

import upliftlab

for found in pkgutil.walk_packages(upliftlab.__path__, "upliftlab."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
for name in ("pandas", "pyarrow.dataset", "pyarrow.parquet", "scipy.optimize", "scipy.stats"):
    importlib.import_module(name)
