"""Logging in and out: USER, PASS, ACCT, REIN, QUIT (RFC 959 section 4.1.1, RFC 1635)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import LoginRefused
from fairlead.events import LoginFailed, LoginSucceeded
from fairlead.proto.reply import Reply
from fairlead.server.hosts import UNAVAILABLE
from fairlead.server.registry import Argument, command
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from fairlead.accounts.base import Account
    from fairlead.server.session import Session

PASSWORD_PLEASE = Reply(331, "Please send the password.")
EMAIL_PLEASE = Reply(331, "Anonymous access: please send your e-mail address as the password.")
LOGGED_IN = Reply(230, "Logged in.")
CERTIFIED = Reply(232, "Logged in by your certificate.")
LOGIN_INCORRECT = Reply(530, "Login incorrect.")
ACCOUNT_PLEASE = Reply(332, "Please send the account with ACCT.")
TOO_MANY = Reply(421, "Too many wrong passwords, closing the control connection.")


@command("USER", syntax="name", argument=Argument.REQUIRED, login=False, private=True)
def user(session: Session, name: str) -> Reply:
    """Name the user; logs an earlier one out. The answer is the same for names that do not exist (RFC 2577).

    Whose certificate opens the account needs no password (RFC 4217 section 4.1, 232).
    """
    session.log_out()
    session.user = name
    session.pending = "USER"
    if session.host is not None and not session.host.available:
        session.reply_to.close("the host is not available")
        return UNAVAILABLE
    account = _certified(session, name)
    if account is not None:
        session.pending = ""
        return _accepted(session, account, "", certified=True)
    return EMAIL_PLEASE if session.accounts.anonymous(name) else PASSWORD_PLEASE


@command("PASS", syntax="password", argument=Argument.OPTIONAL, login=False, after="USER", secret=True, private=True)
async def password(session: Session, secret: str) -> Reply:
    """Prove the user; a wrong password is answered later with each recent failure of the same source."""
    try:
        account = await session.accounts.authenticate(session.user, secret, peer=session.peer[0])
    except LoginRefused as error:
        return await _refused(session, str(error))
    return _accepted(session, account, secret)


@command("ACCT", syntax="account", argument=Argument.REQUIRED, login=False, secret=True, private=True)
async def account_information(session: Session, information: str) -> Reply:
    """Give the account, where PASS or a store asked for one (332, 532); superfluous otherwise (202)."""
    account = session.awaiting
    if account is None:
        if session.account is None:
            return Reply(503, "Send USER and PASS first.")
        if session.account.account_at != "store" or session.may_store:
            return Reply(202, "No account is needed.")
        if not await session.accounts.check_account(session.account, information):
            return await _refused(session, "wrong account")
        session.may_store = True
        return LOGGED_IN
    if not await session.accounts.check_account(account, information):
        session.awaiting = None
        return await _refused(session, "wrong account")
    return _logged_in(session, account, "")


@command("REIN", login=False)
def reinitialize(session: Session, _: str) -> Reply:
    """Log out and begin anew on the same connection; a transfer has ended before. TLS ends (RFC 4217 section 13)."""
    session.use_port(None)
    session.reset()
    session.protection.reset()
    if not session.protection.implicit:
        session.protection.clear()
        session.reply_to.end_tls()
    session.enter_host(None)
    return session.greeting


@command("QUIT", login=False)
def quit_session(session: Session, _: str) -> Reply:
    """Say goodbye and close; a transfer has ended before."""
    session.use_port(None)
    session.reply_to.close("QUIT")
    return Reply(221, "Goodbye.")


def _certified(session: Session, name: str) -> Account | None:
    """The account that the client's certificate opens."""
    tls = session.protection.tls
    if tls is None or not session.server.settings.tls.client_ca:
        return None
    names = tls.peer_names
    return session.accounts.certified(name, names) if names else None


def _accepted(session: Session, account: Account, secret: str, *, certified: bool = False) -> Reply:
    """The user is proved; only ACCT may still be to come."""
    if account.account_at == "login":
        session.awaiting = account
        return ACCOUNT_PLEASE
    return _logged_in(session, account, secret, certified=certified)


def _logged_in(session: Session, account: Account, secret: str, *, certified: bool = False) -> Reply:
    server = session.server
    server.guard.succeeded(session.peer[0])
    session.log_in(account)
    if server.events.wanted(LoginSucceeded):
        server.events.emit(
            LoginSucceeded(
                session=session.number,
                peer=session.peer[0],
                user=account.name,
                anonymous=account.anonymous,
                password=secret if account.anonymous else None,
                tls=session.protection.described,
                certified=certified,
            )
        )
    return CERTIFIED if certified else LOGGED_IN


async def _refused(session: Session, reason: str) -> Reply:
    server = session.server
    server.events.emit(LoginFailed(session=session.number, peer=session.peer[0], user=session.user, reason=reason))
    session.failures += 1
    now = server.loop.time()
    server.guard.failed(session.peer[0], now)
    delay = server.guard.delay(session.peer[0], now)
    if delay > 0:
        wait = Wait()
        timer = server.loop.call_later(delay, wait.end)
        try:
            await wait
        finally:
            timer.cancel()
    if session.failures >= server.settings.max_login_attempts:
        session.reply_to.close("too many wrong passwords")
        return TOO_MANY
    return LOGIN_INCORRECT
