"""What programs write by themselves: errors of forms, tables, statements, commands.

All secrets are invented.
"""

from __future__ import annotations

from typing import Final

A: Final = "hunter2pw9"

# Those of box drawing are without their frame: in a query each sign is up to 15.
_TABLES: Final = (
    # rich and tabulate
    """
┃ id ┃ password   ┃
┡━━━━╇━━━━━━━━━━━━┩
│ 1  │ three3     │
│ 2  │ hunter2pw9 │
""",
    """
│ id │ password   │
╞════╪════════════╡
│ 1  │ three3     │
├────┼────────────┤
│ 2  │ hunter2pw9 │
""",
    """
+------+------------+
| user | password   |
+======+============+
| lee  | three3     |
+------+------------+
| kim  | hunter2pw9 |
+------+------------+""",
    """
║ id ║ password   ║
╠════╬════════════╣
║ 1  ║ hunter2pw9 ║
""",
    """
  id │ password
 ────┼────────────
  1  │ hunter2pw9
""",
    # polars
    """shape: (1, 2)
│ id  ┆ password   │
│ --- ┆ ---        │
│ i64 ┆ str        │
╞═════╪════════════╡
│ 1   ┆ hunter2pw9 │
""",
    # tabulate, SQL*Plus, sqlcmd, PowerShell and reStructuredText
    "users\n  id  user    password\n----  ------  ----------\n   1  kim     hunter2pw9",
    "\nID         PASSWORD\n---------- ------------\n         1 hunter2pw9\n\n1 row selected.",
    "\nPassword   Name\n--------   ----\nhunter2pw9 kim",
    "users\n====  ==========\nuser  password\n====  ==========\nkim   hunter2pw9\n====  ==========",
)

SECRETS: Final[dict[str, list[tuple[str, str]]]] = {
    "sources and reports": [
        (f"[token]: {A}", A),
        (f"[token]: #{A}", A),
        (f"[token]: https://example.com/docs?token={A}", A),
        (f"DRIVER={{ODBC Driver 18}};SERVER=db;UID=kim;PWD={{{A}}}", A),
        (f"string password = 12{A};", A),
        ('string password = "12345";', "12345"),
        ("DB_PASS=TestUser1", "TestUser1"),
        (f"PASS: {A}", A),
        (f"cookie: 4096 bytes={A}", A),
        ("sid=1234567", "1234567"),
    ],
    "commands": [
        (f"echo kim:{A} | chpasswd", A),
        (f"echo 'kim:{A}' | sudo chpasswd", A),
        (f"printf 'kim:{A}' | chpasswd", A),
        (f"RUN echo root:{A} | chpasswd", A),
        (f"echo {A} | passwd --stdin kim", A),
        (f"rabbitmqctl add_user kim {A}", A),
        (f"rabbitmqctl add_user kim rab{'9' * 5}" + " and_then_done_" * 40, "rab99999"),
        (f"rabbitmqctl change_password kim {A}", A),
        (f"CONFIG SET masterauth {A}", A),
        (f"config set masterauth {A}", A),
        (f"setx API_KEY {A}q8Zk2nVb7", A),
    ],
    "bar codes": [
        (f"{said}8801015007341", "8801015007341")
        for said in ("주민번호 ", "주민번호 바코드 ", "clean ", "바코드 3개, 고객 ")
    ],
    "dashes": [
        (f"비밀번호 - {A}", A),
        (f"인증번호 – {A}", A),
        (f"아이디 - kim, 비밀번호 - {A}", A),
    ],
    "errors of forms": [
        ("{'password': 'correct horse battery'}", "horse"),
        ("{'password': 'new password'}", "new password"),
        ("{'password': 'wrong Tulip9'}", "Tulip9"),
        ("{'password': ['required', 'hunter22']}", "hunter22"),
        ("{'password': ['required', 'swordfish']}", "swordfish"),
        ("{'password': ['This field may not be blank.', 'hunter22']}", "hunter22"),
        ("{'password': 'the secret key'}", "the secret key"),
        ("{'password': 'wrong pin 4815'}", "4815"),
        ("{'password': 'wrong pin x7q'}", "x7q"),
    ],
    "tables": [(text, A) for text in _TABLES],
    "what one sign alone tells of": [
        (text, A)
        for text in (
            f'said "AUTH" "{A}"',
            f"masterauth {A}",
            f"Negotiate abc/{A}/cdefg/1234",
            f"NTLM TlRMTVN+{A}+AAAA+AAA=",
            f"<token><![CDATA[{A}]]>",
            f"q=token%EF%BC%9A{A} HTTP/1.1",
            f"q=token%EF%BC%9D{A} HTTP/1.1",
            f"tok\\x65n={A}",
            f"tok\x1b[31men\x1b[0m={A}",
            f"curl\0-u\0kim:{A}\0http://shop",
            f"mysql\0-p{A}\0shop",
            f"prog\0--token\0{A}\0-x",
        )
    ]
    + [
        (text, "swordfish")
        for text in (
            "ENV API_TOKEN swordfishesabcd",
            "setx SIGNING_KEY swordfishesabcd",
            "CONFIG SET requirepass swordfish",
            "echo 'kim:swordfish' | sudo chpasswd && echo done",
            "jdbc:oracle:thin:kim/swordfish@db",
            "SharedAccessSignature swordfishes/Abcdefgh1",
            "GoogleLogin swordfishesAbcdefgh1",
            "PlainCredentials('kim', 'swordfish')",
            'smtp.login("kim", "swordfish")',
            "user[token][0]=swordfish",
            "token\t= swordfish",
            "token\uff1aswordfish",
            "token\uff1dswordfish",
        )
    ]
    + [
        ("q=%EC%9D%B8%EC%A6%9D%EB%B2%88%ED%98%B8+482913", "482913"),
        ("q=4111%E2%80%931111%E2%80%931111%E2%80%931111", "4111"),
        ("q=%EC%B9%B4%EB%93%9C4111111111111111", "4111111111111111"),
        # Behind a first number, where a name is looked for up to a certain place.
        (f"order 1234 {'x' * 239} 4829 is your PIN", "4829"),
    ],
    "inputs that pydantic has cut": [
        (
            f"Login\nname\n  Field required [type=missing, input_value={given}, input_type=dict]",
            secret,
        )
        for given, secret in (
            ("{'username': 'kimchulsoo@...nVb7q8Zk2nVb7q8Zk2nVb7'}", "nVb7"),
            ("{'debug': 'true', 'databa...q8Zk2nVb7@db:5432/shop'}", "nVb7"),
            ("{'email': 'kim@example.co...11111111111111', 'a': 1}", "11111111111111"),
            ("{'email': 'kim@exampl...sword': 'q8Zk2nVb7q8Zk'}", "nVb7"),
            ("{'email': 'kim@exampl..._key': 'q8Zk2nVb7', 'a': 1}", "nVb7"),
            ("{'email': 'kim@exampl...': 'q8Zk2nVb7q8Zk2nVb7'}", "nVb7"),
            ("Login(user='kim@example.c...n='q8Zk2nVb7q8Zk2nVb')", "nVb7"),
            ("{'email': 'kim@exampl...swordfish', 'a': 1}", "swordfish"),
            ("{'email': 'kim@example.co...fish', 'a': 1}", "fish"),
            ("{'email': 'kim@exampl...horse 9 battery', 'a': 1}", "battery"),
            ("{'email': 'kim@exampl...sword': 48151623, 'a': 1}", "48151623"),
        )
    ],
    "comparisons in SQL": [
        (f"SELECT id FROM sessions WHERE {condition}", A)
        for condition in (
            f"token IN ('{A}')",
            f"token IN ('one', '{A}')",
            f"token NOT IN ('{A}', 'one')",
            f'"sessions"."token" IN (\'{A}\')',
            f"`token` in ('{A}')",
            f"token LIKE '{A}%'",
            f"token ilike '%{A}%'",
            f"lower(users.token) LIKE lower('{A}')",
            f"s.token != '{A}'",
            f"token <> '{A}' AND id = 3",
            f"password = 'one1' AND token BETWEEN '{A}' AND 'three3'",
            f"password = 'one1' AND token BETWEEN 'three3' AND '{A}'",
            f"password = 'one1' AND token IS DISTINCT FROM '{A}'",
        )
    ],
    "parameters of comparisons": [
        (
            f"[SQL: SELECT id FROM s WHERE {condition} AND nope = ?]\n[parameters: {parameters}]",
            A,
        )
        for condition, parameters in (
            ("token IN (?, ?)", f"('{A}', 'two', 3)"),
            ("token IN (?, ?)", f"('two', '{A}', 3)"),
            ("sessions.token NOT IN (?)", f"('{A}', 3)"),
            ("lower(token) = lower(?)", f"('{A}', 3)"),
            ("password = ? AND token BETWEEN ? AND ?", f"(1, 'two', '{A}', 3)"),
        )
    ],
}

_MESSAGES: Final = (
    "The two password fields didn\u2019t match.",  # Django
    "Shorter than minimum length 8.",  # marshmallow
    "Unknown field.",
    "min length is 8",  # Cerberus
    "empty values not allowed",
    "unknown field",
    "expected str",  # voluptuous
    "extra keys not allowed",
    "Field required",  # pydantic
    "Required",  # Zod
    "Too short",
    "Incorrect password.",
    "Invalid input.",
    "Must be at least 8 characters",
)

_FIELDS: Final = (
    # A field in each row, and a rule below each.
    """
+----------+------+
| field    | kind |
+==========+======+
| password | str1 |
+----------+------+
| user_id1 | int4 |
+----------+------+""",
    """
┌──────────┬──────┐
│ field    │ kind │
╞══════════╪══════╡
│ password │ str1 │
├──────────┼──────┤
│ user_id1 │ int4 │
└──────────┴──────┘""",
    """
│ name ┆ password │
│ ---  ┆ ---      │
│ str  ┆ str      │
╞══════╪══════════╡
│ kim  ┆ null     │
└──────┴──────────┘""",
)

LOOK_ALIKES: Final[dict[str, list[str]]] = {
    "names of errors beside what forms say": [
        "{'password': ['too_short', 'This field may not be blank.']}",
        "{'password': ['maximum length 128', 'too_long']}",
    ],
    "errors of forms": [
        text
        for message in _MESSAGES
        for text in (
            repr({"password": [message]}),
            f'{{"errors": {{"password": "{message}"}}}}',
            f'{{"password": ["{message}"]}}',
            f"password: {message}",
        )
    ],
    "inputs that pydantic has cut": [
        f"  Field required [type=missing, input_value={given}, input_type=dict]"
        for given in (
            "{'comment': 'The flowers w...d we were very happy.'}",
            "{'comment': 'The flowers w... were a great joy.'}",
            "{'comment': 'The flowers, the vas...es', 'a': 1}",
            "{'order': {'id': 12345678...king': '6881234567890'}}",
            "[1, 2, 3, 4, 5, 6, 7, 8, ...6, 17, 18, 19, 20, 21]",
        )
    ],
    "comparisons in SQL": [
        "SELECT id FROM sessions WHERE token IN (%s, %s)",
        "SELECT id FROM sessions WHERE token IN ($1, $2) AND name IN ('kim', 'lee')",
        "SELECT id FROM sessions WHERE token NOT IN (SELECT token FROM old WHERE kind = 'web')",
        "SELECT id FROM users WHERE auth IN ('basic', 'oauth2') AND token != ''",
        "SELECT id FROM users WHERE password LIKE '%' AND name LIKE 'kim%'",
        "SELECT id FROM orders WHERE token IS NOT NULL AND status IN ('paid', 'sent')",
        "[SQL: SELECT id FROM u WHERE name IN (?, ?) AND token = ?]\n[parameters: ('a1', 'b1', None)]",
        "if token_type not in ('access', 'refresh'): raise ValueError",
        "if 'password' in ('user', 'name'): return",
    ],
    "tables": [
        *_FIELDS,
        "Package    Version\n---------- -------\npasslib    1.7.4\ntoken      0.3.1",
        "Token  Kind\n-----  ----\nthe    word\n",
        "password  changed\n--------  -------\nthe password1 of kim was changed",
    ],
    "sources and reports": [
        "message Login {\n  string user = 1;\n  string password = 2;\n  bytes token = 3 [deprecated];\n}",
        "[token]: #token",
        "see [the docs][token]\n\n[token]: https://example.com/docs/token",
        "password: !include x",
        "password: !include secrets/db.yaml",
        "password: !env_var DB_PASSWORD",
        "MasterUserPassword: !ImportValue db-secret",
        "--- PASS: TestLogin1 (0.00s)",
        "    --- PASS: TestLogin/with_2fa (0.00s)",
        "PASS: test_login1",
        "runner says PASS: test_login1",
        "cookie: 4096 bytes",
        "sid=12",
    ],
    "placeholders in lines of sources": [
        'headers = {"Authorization": f"Bearer {self.token}"}',
        'headers = {"Authorization": f"Bearer {settings.api_key}", "X-Trace": trace}',
        'headers = {"Authorization": "Bearer {}".format(token)}',
        'headers = {"Authorization": "Bearer %s" % token}',
        'headers = {"Authorization": f"Basic {b64encode(raw).decode()}"}',
        '{"Authorization": "Bearer ***", "Accept": "*/*"}',
        '{"Authorization": "Bearer ${API_TOKEN}"}',
        'create_engine(f"postgresql://{user}:{password}@{host}:{port}/{name}")',
        'create_engine(f"postgresql://{s.user}:{quote_plus(s.password)}@{s.host}/{s.name}")',
        'Redis.from_url(f"redis://:{settings.redis_password}@cache:6379/0")',
        "DATABASE_URL=postgresql://${DB_USER}:${DB_PASSWORD}@db:5432/orders",
        '"postgresql://%s:%s@%s/%s" % (user, password, host, name)',
        'get(f"https://api.example.com/v1?api_key={self.key}&page={page}")',
        "login(user={user!r}, password={password!r})",
    ],
    "objects as Python shows them": [
        "GET https://api.example.com auth=<requests.auth.HTTPBasicAuth object at 0x7f0012345678>",
        "cookie_jar=<aiohttp.cookiejar.CookieJar object at 0x7f0012345678> timeout=5",
        "credentials=<google.oauth2.service_account.Credentials object at 0x7f0012345678>",
        "token=<function get_token at 0x7f0012345678>",
        "token=<coroutine object fetch_token at 0x7f0012345678>",
        "token=<shop.make.<locals>.Token object at 0x7f0012345678>",
        "password=<class 'str'>",
        "token=<MagicMock id='140312345678'>",
    ],
    "helps and switches": [
        "  -p, --password TEXT  Password for the registry",
        "  --api-key TEXT       API key  [env var: SHOP_API_KEY]",
        "│ *  --token        TEXT  [default: None] [required]  │",
        "Options:\n  --username TEXT\n  --password TEXT\n  --help  Show this message and exit.",
        "  -P, --password [PASSWORD] Password to use when connecting to server.",
        "Error: No such option: --passwd Did you mean --password?",
        "flags: new_login=on passkey_login=off password_login=on",
        "feature password_reset_v2=enabled for 10% of users",
        "using private key ~/.ssh/id_ed25519_2026",
    ],
    "what is told about passwords and passes": [
        "sent password to user4711a",
        "reset password to kim",
        "password should be 8-20 characters",
        "password has been used 12345 times",
        "password generated for user 7",
        "세션ID: 17",
        "use 20261130 as your order code prefix",
        "enter code review 493817",
        "<pass>12</pass><fail>0</fail>",
        "<pass>12 of 13 tests</pass>",
        '[("pass", "test_1"), ("fail", "test_2")]',
    ],
    "catalogues and events": [
        '{"password": "비밀번호", "confirm_password": "비밀번호 확인", "token": "토큰"}',
        '{"password": "비밀번호를 입력하세요", "forgot_password": "비밀번호를 잊으셨나요?"}',
        "auth: user=4711 role=admin",
        "auth: 200 in 12ms",
    ],
    "masks of others": [
        "connecting with host=db password=*** port=5432 dbname=orders",
        "token=*** id=7",
        "password:*** host=db",
        "카드번호: 4111-****-****-1111",
        "카드번호: 4111-11**-****-1111 승인",
        "card_number=411111******1111 amount=45900",
        '{"cardNumber": "43301234****123*", "installment": 3}',
        "{'card_number': '4111-xxxx-xxxx-1111'}",
        "주민번호: 900101-1******",
    ],
    "amounts and prose behind a name": [
        "time to first token: 0.23s",
        "first token: 231 ms, last token: 4512 ms",
        "cost per token: 0.000012 USD",
        "authorization: user 4711 lacks permission orders.delete",
        "authorization: 3 rules evaluated in 12ms",
    ],
    "names of secrets in Kubernetes": [
        "imagePullSecrets:\n- name: regcred",
        "spec:\n  imagePullSecrets:\n    - name: regcred\n    - name: hub\n  containers:\n    - name: shop",
    ],
    "commands": [
        "echo done:10 | tee log",
        "echo kim:$PASSWORD | chpasswd",
        "chpasswd failed with 1",
        "rabbitmqctl add_vhost shop1",
        "rabbitmqctl list_users",
        "rabbitmqctl add_user kim $PASSWORD",
        "CONFIG SET maxmemory 100mb",
        "masterauth differs from that of 10.0.0.3:6379",
        "setx PATH C:\\tools\\python3\\bin",
    ],
    "dashes": [
        "비밀번호 - 변경 완료",
        "비밀번호 - 8자 이상",
        "비밀번호 - 2026-11-30 변경",
        "비밀번호 - 3회 오류",
    ],
    # Goods of Korea begin with 880: one in forty has the date and the check digit of a resident.
    "bar codes": [
        f"{name}8801015007341"
        for name in ("바코드 ", "바코드 스캔: ", "barcode=", "EAN-13: ", "GTIN ", "sku: ", "UPC ")
    ],
}
