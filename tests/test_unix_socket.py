"""Unix sockets: who may connect, whatever the umask of whoever starts the server."""

import ctypes
import grp
import os
import pwd
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from .conftest import APPS, PROGRAM

#: Somebody else, by a number that nobody has.
STRANGER = 65_531

#: Linux' numbers: to take a capability away, and the one that lets root give files away.
PR_CAPBSET_DROP, CAP_CHOWN = 24, 0

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def folder():
    """Return a folder that everybody may look into, unlike those of the tests."""
    with tempfile.TemporaryDirectory(prefix="yett-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def may_connect(path, user, group):
    """Return whether somebody of this user and group may connect."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            socket.socket(socket.AF_UNIX).connect(str(path))
        except PermissionError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1)
    return code == 0


def start(serve, path, *flags, **how):
    """Start a server on a Unix socket, and return what stands in its folder."""
    serve("hello:application", "--workers", "1", *flags, bind=(f"unix:{path}",), **how)
    return path.lstat()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_user_and_group_may_connect_and_nobody_else_whatever_the_umask(serve, folder, umask):
    there = start(serve, folder / "s", umask=umask)
    assert stat.S_ISSOCK(there.st_mode)
    assert stat.S_IMODE(there.st_mode) == 0o660
    assert (there.st_uid, there.st_gid) == (os.geteuid(), os.getegid())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "s"))


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_admin_socket_is_its_owners_alone_whatever_the_umask(serve, folder, umask):
    start(serve, folder / "s", "--admin", f"unix:{folder / 'admin'}", umask=umask)
    assert stat.S_IMODE((folder / "admin").lstat().st_mode) == 0o600


@as_root
def test_group_that_is_named_may_connect(serve, folder):
    path = folder / "s"
    group = grp.getgrgid(1)
    there = start(serve, path, "--socket-owner", f":{group.gr_name}")
    assert (there.st_uid, there.st_gid) == (os.geteuid(), group.gr_gid)
    assert may_connect(path, STRANGER, group.gr_gid)
    assert not may_connect(path, STRANGER, STRANGER)


@as_root
def test_owner_and_mode_of_each_listener_are_its_own(serve, folder):
    user = pwd.getpwuid(1)
    first, second = folder / "a", folder / "b"
    config = folder / "yett.toml"
    config.write_text(
        f'[[listener]]\nbind = "unix:{first}"\n'
        f'[[listener]]\nbind = "unix:{second}"\n'
        f'socket_mode = "0606"\nsocket_owner = "{user.pw_name}:{STRANGER}"\n'
    )
    server = serve(
        *("hello:application", "--workers", "1", "--config", str(config)),
        *("--socket-mode", "0600"),
        bind=(),
    )
    assert stat.S_IMODE(first.lstat().st_mode) == 0o600
    there = second.lstat()
    assert (there.st_uid, there.st_gid) == (user.pw_uid, STRANGER)
    assert stat.S_IMODE(there.st_mode) == 0o606
    assert f"everyone on this machine can connect to unix:{second}" in server.stderr
    assert may_connect(second, user.pw_uid, 1)
    assert not may_connect(first, user.pw_uid, 1)


@as_root
def test_who_may_not_give_it_away_does_not_start_and_leaves_nothing(folder, environment):
    def keep_everything():
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) == 0

    done = subprocess.run(
        [
            *(PROGRAM, "serve", "hello:application", "--chdir", str(APPS)),
            *("--bind", f"unix:{folder / 's'}", "--socket-owner", str(STRANGER)),
        ],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=keep_everything,
    )
    assert done.returncode == 2
    assert f"cannot set the mode and the owner of unix:{folder / 's'}" in done.stderr
    assert "only root may give a socket to another user" in done.stderr
    assert not (folder / "s").exists()


def test_owner_that_nobody_knows_is_a_mistake(yett, folder):
    words = ("serve", "hello:application", "--bind", f"unix:{folder / 's'}")
    finished = yett(*words, "--socket-owner", "nobody-is-called-so")
    assert finished.code == 2
    assert 'there is no user "nobody-is-called-so" on this machine' in finished.err
    assert not (folder / "s").exists()
