"""Names and values as chats, pages, documents and shells write them. All secrets are invented.

What stands around a name and its value is none of theirs: marks of Markdown, tags, properties of
YAML, the type of a variable, NULs between the arguments of a process, letters that look alike.
"""

from __future__ import annotations

from typing import Final

A: Final = "hunter2pw9"

SECRETS: Final[dict[str, list[tuple[str, str]]]] = {
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
