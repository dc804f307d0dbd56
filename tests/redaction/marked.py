"""Names and values as chats, pages, documents and shells write them. All secrets are invented.

What stands around a name and its value is none of theirs: marks of Markdown, tags, properties of
YAML, the type of a variable, NULs between the arguments of a process, letters that look alike.
"""

from __future__ import annotations

from typing import Final

A: Final = "hunter2pw9"

SECRETS: Final[dict[str, list[tuple[str, str]]]] = {
    "commands": [
        ("mysql -u root -p'my hunter2 pw9' shop", "pw9"),
        ("curl -u 'kim:my hunter2 pw9' https://h/", "pw9"),
        ('sshpass -p "my hunter2 pw9" ssh kim@h', "pw9"),
        (f"sqlcmd -U sa -P'{A}'", A),
        (f"sqlcmd -U sa -P{A} -Q x", A),
        (f"htpasswd -nb kim {A}", A),
        (f"mosquitto_pub -h h -u kim -P {A} -t x", A),
        (f"mysqld\x00-uroot\x00-p{A}\x00shop\x00", A),
        (f"app\x00--password\x00{A}\x00", A),
        (f"curl\x00-u\x00kim:{A}\x00https://h\x00", A),
        (f"HOME=/root\x00DB_PASSWORD={A}\x00PATH=/bin\x00", A),
    ],
    "letters": [
        (text, A)
        for text in (
            f"p\u200bassword={A}",
            f"pass\u200bword: {A}",
            f"password\u200b: {A}",
            f"pass\u00adword={A}",
            f"\u202apassword\u202c: {A}",
            f"\ufeffpassword={A}",
            f"ｐａｓｓｗｏｒｄ={A}",
            f"ｐａｓｓｗｏｒｄ：{A}",
            f"ＡＰＩ＿ＫＥＹ＝{A}",
            f"APPSECRET%EF%BC%9D{A}",
            f"password%EF%BC%9A{A}",
            f"비\u200b밀번호: {A}",
            f"비밀번호\u3000:\u3000{A}",
            f"비밀번호\u3000{A}",
            f"password\u2009=\u2009{A}",
            f"비밀번호（PW）：{A}",
            f"\u1107\u1175\u1106\u1175\u11af\u1107\u1165\u11ab\u1112\u1169: {A}",
            f"“password”: “{A}”",
            f"‘password’: ‘{A}’",
            f"「비밀번호」: {A}",
            f'{{"p\u200bassword": "{A}"}}',
            f'{{"ｐａｓｓｗｏｒｄ": "{A}"}}',
        )
    ],
}

LOOK_ALIKES: Final[dict[str, list[str]]] = {
    "commands": [
        "mysql -u root -p shop",
        "\"mysql -p\" asks for it, 'mysql -p'. See 'man'",
        "['mysql', '-p', 'shop']",
        "curl -u $USER:$PASSWORD https://h",
        "redis-cli -a $REDIS_PASSWORD ping",
        'mysql -p"$MYSQL_PASSWORD" shop',
        "mysqldump -p${MYSQL_PASSWORD} shop",
        "option --password requires an argument",
        "mosquitto_sub -h h -p 1883 -t orders/41",
        "sshd\x00-p\x0022\x00",
    ],
    "letters": [
        "상품：장미 ３송이",
        "토큰：만료",
        "비밀번호：변경됨",
        "ｏｒｄｅｒ＝４１",
        "“비밀번호” 항목 1개",
        "「비밀번호」 화면 2번째",
        "“token” expired 3 times",
        "‘password’ field 2 missing",
        "the “password”: required",
        "\u200bstatus=ok2",
        "token\u00a0count:\u00a03",
    ],
}
