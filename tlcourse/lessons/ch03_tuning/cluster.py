"""Many machines: hand the runs of a sweep or of a search to a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from joblib import parallel_config


@contextmanager
def dask(address: str | None = None, workers: int = 2) -> Iterator:
    """Run everything inside the ``with`` block that joblib distributes on a Dask cluster.

    `experiment.repeat`, `experiment.sweep` and scikit-learn's searches (with ``n_jobs=None``) need no
    other change, and give the same numbers to the last digit: each run is seeded by itself. When a
    machine dies, its runs begin again on another one.

    Parameters
    ----------
    address : str, optional
        Of a Dask scheduler, such as "tcp://scheduler:8786". Every machine there needs the same
        versions of this course and of its packages. By default, processes on this machine.
    workers : int
        How many processes, without an address.

    Yields
    ------
    distributed.Client
        Its ``dashboard_link`` shows what each machine does.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    OSError
        If no scheduler answers within 5 s.
    ValueError
        If a worker has several threads: two runs in one process would share its random numbers.
    """
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('Dask is missing: pip install "tlcourse[scale]".') from error
    options = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    # Client has the same frame for both: it leaves a cluster of its own closed behind.
    target = address or LocalCluster(n_workers=workers, **options)
    try:
        with Client(target, timeout=5) as client:
            several = [n for n in client.nthreads().values() if n > 1]
            if several:
                raise ValueError(
                    f"a worker of the cluster has {several[0]} threads: start it with --nthreads 1."
                )
            with parallel_config("dask", n_jobs=-1):
                yield client
    finally:
        if not address:
            target.close()
