"""The kernel that a report is made with: this very interpreter, reached without a network port."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

#: A socket's path may not be longer than this on any system with Unix sockets (104 on macOS).
_LONGEST_SOCKET_PATH = 100


class LocalKernelManager(AsyncKernelManager):
    """Starts `python -m ipykernel` with this process's Python, whatever kernels the user has installed.

    On POSIX it talks over sockets in a private folder: two runs cannot take each other's port, and
    nothing listens on the network. Elsewhere, or below a very long temporary folder, over TCP.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
        self.connection_file = str(Path(self._folder.name) / "connection.json")
        socket = str(Path(self._folder.name) / "s")
        if os.name == "posix" and len(socket) < _LONGEST_SOCKET_PATH:
            self.transport, self.ip = "ipc", socket

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts the kernel."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    @property
    def process_id(self) -> int | None:
        """The kernel's process, which leads a session of its own."""
        return getattr(self.provisioner, "pid", None)

    def kill_at_once(self) -> None:
        """Kill the kernel and the processes that it started, and remove the folder; for a dying parent."""
        if self.process_id and os.name == "posix":
            with suppress(ProcessLookupError):
                os.killpg(self.process_id, signal.SIGKILL)
        self._folder.cleanup()
