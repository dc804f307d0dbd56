"""Tokens whose structure a standard describes, and links that let in whoever has them.

See `form.Form` for what a row says.
"""

from __future__ import annotations

from typing import Final

from flowery_logging.redaction.form import ALNUM20, Form

STANDARDS: Final = (
    Form(
        "jwt",
        ("eyJ",),
        # Encrypted with a shared key it has nothing between the first two dots (RFC 7518 §4.5).
        r"(?:(?<![\w-])|(?<=\\[nrt]))eyJ[\w-]{5,}\."
        r"(?:[\w-]{5,}(?:\.[\w-]*)+|(?:\.[\w-]{5,}){3})",
        "RFC 7519",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "eyJ",
    ),
    Form(
        "paseto",
        (".local.", ".public."),
        r"v[1-4]\.(?:local|public)\.[\w-]{40,}(?:\.[\w-]+)?",
        "PASETO",
        "v4.local." + ALNUM20 * 3,
        "v4.local.example",
    ),
    Form(
        "credentials",
        ("dXNlcj",),
        # `user=…^Aauth=Bearer …` in base 64, from each of the three places where it may begin.
        r"dXNlcj[A-Za-z0-9+/]{2,400}(?:AWF1dGg9QmVhcmVy|FhdXRoPUJlYXJlc|BYXV0aD1CZWFyZX)[\w+/=]*",
        "XOAUTH2",
        "dXNlcj1raW1AYS5iAWF1dGg9QmVhcmVyIHlhTGlseQEB",
        "dXNlcj1raW1AYS5i",
    ),
    Form(
        "password_hash",
        ("$1$", "$2", "$5$", "$6$", "$7$", "$y$", "$apr1$", "$argon2", "_sha256$"),
        r"\$(?:[1567y]|apr1)\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9$]{1,40}\$[./A-Za-z0-9]{22,86}|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$[\w$=,./+-]{20,}"
        r"|(?:pbkdf2|bcrypt)_sha256\$[\w$=,./+-]{20,}",
        "crypt(5), PHC string format",
        "$argon2id$v=19$m=65536,t=3,p=4$" + ALNUM20,
        "$2b$",
    ),
    Form(
        "private_key",
        ("-----BEGIN ",),
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]|-(?!----END ))*(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
        "RFC 7468",
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    ),
    Form(
        "link_token",
        (
            "/reset",
            "/verify",
            "/confirm",
            "/activat",
            "/magic",
            "/password",
            "/invit",
            "/unsubscribe",
            "_reset/",
            "-reset/",
        ),
        # What lets in whoever has the link; Django has the ID of the user between.
        r"(?:(?<=[/_-]reset/)|(?<=[/_-]password/)|(?<=[/_-]verify/)|(?<=[/_-]email/)|(?<=/confirm/)"
        r"|(?<=/activate/)|(?<=/activation/)|(?<=/verification/)|(?<=/magic/)|(?<=[/_-]link/)"
        r"|(?:(?<=/invite/)|(?<=/invitation/)|(?<=/invitations/)|(?<=/unsubscribe/))"
        r"(?![0-9a-f]{8}-[0-9a-f]{4}-))"
        r"(?=[\w-]{0,64}\d)(?=[\w-]{0,64}[A-Za-z])[\w-]{20,}"
        r"|(?<=/)[0-9a-z]{6}-[0-9a-f]{32}(?![\w-])",
        "links that reset a password, verify an address or invite",
        "/reset-password/" + ALNUM20,
        "/reset-password/done",
    ),
    Form(
        "private_key",
        ("LS0tLS1CRUdJTi",),
        # The same in base 64, as Kubernetes has it: with one name before `PRIVATE KEY`, or none.
        r"LS0tLS1CRUdJTi(?:BQUklWQVRF|B(?:SU0|EU0)EgUFJJVkFURS|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVEUg"
        r"|BFTkNSWVBURUQgUFJJVkFURS)[A-Za-z0-9+/]*={0,2}",
        "RFC 7468 in base 64",
        "LS0tLS1CRUdJTi" + "BQUklWQVRFIEtFWS0tLS0tTUlJRQo=",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
    ),
)
