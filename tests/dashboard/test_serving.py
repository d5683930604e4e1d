import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

import thalweg
from thalweg.core.errors import MissingExtraError, PlanError


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_the_page_is_served_until_ctrl_c(tmp_path, make_run):
    make_run(tmp_path / "runs" / "one")
    command = [sys.executable, "-m", "thalweg", "serve", str(tmp_path / "runs"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=\S{32,}", address)
            assert server.stdout.readline() == f"1 run in {tmp_path / 'runs'}. Ctrl-C ends the page; runs go on.\n"
            with httpx.Client() as client:
                assert "<title>Runs" in client.get(address).text
                base = address.partition("?")[0]
                assert len(client.get(f"{base}api/runs").json()["runs"]) == 1  # by the cookie
                with client.stream("GET", f"{base}api/events") as stream:
                    assert next(stream.iter_lines()) == "event: rows"
                    server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=20)
            assert server.returncode == 130
            assert said == "thalweg: interrupted\n"
        finally:
            server.kill()  # or a test that fails would wait for it for ever


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PlanError, match=r"127.0.0.1:\d+ cannot be listened at .*name another --port"):
            thalweg.serve(tmp_path, port=taken.getsockname()[1])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"port": 70000}, "from 0 to 65535"),
        ({"host": "no such host"}, "this is no address"),
        ({"token": "short"}, "at least 16"),
    ],
)
def test_what_cannot_be_served_is_told(tmp_path, options, complaint):
    with pytest.raises(PlanError, match=complaint):
        thalweg.serve(tmp_path, **options)


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'thalweg\[dashboard\]'"):
        thalweg.serve(tmp_path)
