import pytest

PATHS = ["/", "/page/app.js", "/api/runs", "/api/events", "/api/runs/0123456789abcdef/report"]
TRAVERSALS = [
    *(f"/page/{step}secret.txt" for step in ("../", "../../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "..%5c")),
    *(f"/page/{step}" for step in ("../app.py", "..%2fapp.py", "%2e%2e%2fguard.py", ".%2e/shelf.py", "....//app.py")),
    *(f"/api/runs/{step}/report" for step in ("..", "../..", "%2e%2e", "..%2f..", "..%252f..", ".", "%2e", "first")),
    *(f"/api/runs/{step}/report" for step in ("%2fetc", "/etc/passwd", "C:%5c", "file:%2f%2fetc%2fpasswd", "~", "%00")),
    *(f"/{step}" for step in ("etc/passwd", "../secret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "page", "page/")),
    *(f"/page/{step}" for step in ("app.js%00.css", "app.js/../../secret.txt", "%c0%ae%c0%ae/secret.txt", "/a")),
    *(
        f"/api/runs/{step}"
        for step in (
            "..%2f..%2f",
            "....%2f",
            "..%2fsecret.txt",
            "first%2f..%2f..%2fsecret.txt",
            "halted/../../secret.txt",
        )
    ),
]


def test_there_are_forty_traversals():
    assert len(set(TRAVERSALS)) >= 40


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(page, path):
    answer = page(path)
    assert answer.status_code in {404, 405}
    assert "secret" not in answer.text.replace("secret.txt", "")
    assert "root:" not in answer.text
    assert "make_app" not in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "wrong", "", "correct-horse-battery-stapl", "correct-horse-battery-staple "])
def test_nobody_comes_in_without_the_token(page, path, token):
    given = {} if token is None else {"cookie": f"thalweg-8765={token}"}
    if token is not None and token.strip() == "correct-horse-battery-staple":
        given, token = {}, "correct-horse-battery-staple extra"
    answer = page(path, token=token, **given)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_token_in_the_address_gives_a_cookie_that_no_script_and_no_other_page_uses(page):
    answer = page("/?token=correct-horse-battery-staple", token=None)
    assert answer.status_code == 200
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "thalweg-8765"
    assert {part.strip() for part in rest.split(";")} >= {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert page("/api/runs", token=None, cookie=f"{name}={rest.partition(';')[0]}").status_code == 200


def test_the_token_in_any_other_address_counts_for_nothing(page):
    assert page("/api/runs?token=correct-horse-battery-staple", token=None).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8765",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost.evil.example:8765",
        "",
        "10.0.0.7:8765",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/runs"])
def test_a_name_that_was_made_to_point_here_is_refused(page, host, path):
    assert page(path, host=host).status_code == 421  # DNS rebinding


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765", "LOCALHOST:8765"])
def test_our_own_names_are_answered(page, host):
    assert page("/", host=host).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:8765",
        "http://127.0.0.1:9999",
        "http://127.0.0.1:8765.evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_pages_are_refused(page, keys, origin, method):
    path = "/api/runs" if method == "GET" else f"/api/runs/{keys['halted']}/stop"
    assert page(path, method, origin=origin, x_thalweg="1").status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_comes_from_elsewhere_is_refused(page, site):
    assert page("/api/runs", sec_fetch_site=site).status_code == 403
    assert page("/page/app.js", sec_fetch_site=site, sec_fetch_mode="no-cors").status_code == 403


def test_a_link_in_a_mail_still_opens_the_page(page):
    path = "/?token=correct-horse-battery-staple"
    answer = page(path, token=None, sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert answer.status_code == 200


@pytest.mark.parametrize("what", ["stop", "resume"])
def test_a_form_of_another_page_changes_nothing(page, shelf, keys, what):
    folder = shelf.folder(keys["halted"])
    before = {path.name for path in folder.iterdir()}
    cookie = "thalweg-8765=correct-horse-battery-staple"  # even if a browser sent it along
    assert page(f"/api/runs/{keys['halted']}/{what}", "POST", token=None, cookie=cookie).status_code == 403
    assert page(f"/api/runs/{keys['halted']}/{what}", "GET").status_code == 405
    assert {path.name for path in folder.iterdir()} == before


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/api/runs", "/nothing"])
def test_the_policy_is_strict_everywhere(page, path):
    headers = page(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
