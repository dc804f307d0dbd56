"""Tokens that are known by their form: a prefix that their maker gives them, or a structure.

The services that most projects use have a kind each; those of `services` share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.form import Form
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.services import SERVICES

_ALNUM20: Final = "abcDEF0123456789ghIJ"
_HEX32: Final = "0123456789abcdef" * 2

FORMS: Final = (
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
        "aws_key",
        ("AKIA", "ASIA", "ABIA", "ACCA", "IQoJb3JpZ2lu", "FwoGZXIvYXdz"),
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}|(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/=%]{40,}",
        "AWS IAM identifiers and session tokens",
        "AKIA" + "ABCDEFGHIJ234567",
        "AKIAVILLAGE",
    ),
    Form(
        "github_token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}",
        "GitHub: token formats",
        "ghp_" + _ALNUM20 + _ALNUM20[:16],
        "ghp_short",
    ),
    Form(
        "gitlab_token",
        (
            "glpat-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glffct-",
            "glwt-",
            "glsoat-",
            "glagent-",
            "glimt-",
            "gloas-",
        ),
        r"gl(?:pat|dt|rt|cbt|ptt|ft|ffct|wt|soat|agent|imt|oas)-(?=[\w-]{9})[\w.-]{20,}",
        "GitLab: token prefixes",
        "glpat-" + _ALNUM20,
        "glpat-x",
    ),
    Form(
        "slack_token",
        ("xox", "xapp-", "hooks.slack.com/"),
        r"xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{20,}|hooks\.slack\.com/services/[\w/]{20,}",
        "Slack: token types",
        "xoxb-" + "123456789012-abcDEFghi",
        "xoxo-hugs",
    ),
    Form(
        "stripe_key",
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_", "whsec_"),
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}",
        "Stripe: API keys",
        "sk_live_" + _ALNUM20,
        "sk_live_",
    ),
    Form(
        "toss_key",
        ("live_", "test_"),
        r"(?:live|test)_g?(?:sk|ck)_(?:docs_)?[A-Za-z0-9]{10,}",
        "Toss Payments: API keys",
        "test_sk_" + _ALNUM20,
        "test_sk_1",
    ),
    Form(
        "openai_key",
        ("sk-",),
        # Not the names of OpenSSH's types of keys, nor classes of CSS, which have no digit.
        r"sk-(?!ssh-|ecdsa-)(?=[\w-]{0,256}\d)[\w-]{20,}",
        "OpenAI and Anthropic: API keys",
        "sk-proj-" + _ALNUM20,
        "sk-learn",
    ),
    Form(
        "npm_token",
        ("npm_",),
        r"npm_[A-Za-z0-9]{30,}",
        "npm: access tokens",
        "npm_" + _ALNUM20 + _ALNUM20[:16],
        "npm_config_registry",
    ),
    Form(
        "pypi_token",
        ("pypi-AgE",),
        r"pypi-AgE[\w-]{20,}",
        "PyPI: API tokens",
        "pypi-AgE" + _ALNUM20,
        "pypi-server",
    ),
    Form(
        "google_key",
        ("AIza", "ya29.", "GOCSPX-", "1//0", "4/0A"),
        r"AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}|4/0A[\w-]{30,}",
        "Google Cloud: API keys, and tokens of OAuth",
        "AIza" + _ALNUM20 + _ALNUM20[:15],
        "AIzaShort",
    ),
    Form(
        "sendgrid_key",
        ("SG.",),
        r"SG\.[\w-]{16,}\.[\w-]{16,}",
        "SendGrid: API keys",
        "SG." + _ALNUM20 + "." + _ALNUM20,
        "SG.2024",
    ),
    Form(
        "twilio_key",
        ("SK", "AC"),
        r"(?:SK|AC)[0-9a-f]{32}",
        "Twilio: API keys",
        "SK" + _HEX32,
        "SKU00012",
    ),
    Form(
        "mailgun_key",
        ("key-", "pubkey-"),
        r"(?:pub)?key-[0-9a-f]{32}",
        "Mailgun: API keys",
        "key-" + _HEX32,
        "key-1",
    ),
    Form(
        "shopify_token",
        ("shp",),
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        "Shopify: access tokens",
        "shpat_" + _HEX32,
        "shpat_1",
    ),
    Form(
        "digitalocean_token",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        r"do[opr]_v1_[0-9a-f]{64}",
        "DigitalOcean: tokens",
        "dop_v1_" + _HEX32 * 2,
        "dop_v1_",
    ),
    Form(
        "huggingface_token",
        ("hf_",),
        r"hf_[A-Za-z0-9]{30,}",
        "Hugging Face: user access tokens",
        "hf_" + "abcdefghijKLMNOPQRST" * 2,
        "hf_hub_download",
    ),
    Form(
        "databricks_token",
        ("dapi", "dose"),
        r"(?:dapi|dose)[0-9a-f]{32}(?:-\d)?",
        "Databricks: personal access tokens",
        "dapi" + _HEX32,
        "dapi0",
    ),
    Form(
        "vault_token",
        ("hvs.", "hvb.", "hvr."),
        r"hv[sbr]\.[\w-]{20,}",
        "HashiCorp Vault: tokens",
        "hvs." + _ALNUM20,
        "hvs.io",
    ),
    Form(
        "telegram_token",
        (":AA",),
        r"(?<![0-9])[0-9]{8,10}:AA[\w-]{33}",
        "Telegram: bot tokens",
        "bot123456789:AA" + _ALNUM20 + _ALNUM20[:13],
        "12:AA",
    ),
    Form(
        "atlassian_token",
        ("ATATT3", "ATCTT3", "ATBB"),
        r"AT[AC]TT3(?=[\w-]{9})[\w=-]{20,}|ATBB[A-Za-z0-9]{24,}",
        "Atlassian: API tokens",
        "ATATT3" + _ALNUM20,
        "ATATT3",
    ),
    Form(
        "grafana_token",
        ("glsa_", "glc_", "eyJrIjoi"),
        r"gl(?:sa|c)_(?=\w{11})[A-Za-z0-9_+/=]{30,}|eyJrIjoi[\w+/=-]{40,}",
        "Grafana: tokens",
        "glsa_" + _ALNUM20 + _ALNUM20,
        "glsa_1",
    ),
    Form(
        "linear_key",
        ("lin_",),
        r"lin_(?:api|oauth)_[A-Za-z0-9]{30,}",
        "Linear: API keys",
        "lin_api_" + _ALNUM20 * 2,
        "lin_api_1",
    ),
    Form(
        "notion_token",
        ("ntn_", "secret_"),
        r"(?:ntn|secret)_[A-Za-z0-9]{40,}",
        "Notion: tokens",
        "ntn_" + _ALNUM20 * 2,
        "ntn_1",
    ),
    Form(
        "postman_key",
        ("PMAK-",),
        r"PMAK-[0-9a-f]{24}-[0-9a-f]{30,}",
        "Postman: API keys",
        "PMAK-" + _HEX32[:24] + "-" + _HEX32 + "ab",
        "PMAK-1",
    ),
    Form(
        "newrelic_key",
        ("NRAK-", "NRJS-", "NRII-", "NRAL-"),
        r"NR(?:AK|JS|II|AL)-[\w-]{19,}",
        "New Relic: keys",
        "NRAK-" + _ALNUM20,
        "NRAK-1",
    ),
    Form(
        "sentry_token",
        ("sntry",),
        r"sntry[su]_(?=[\w-]{8})[\w+/=-]{30,}",
        "Sentry: tokens",
        "sntrys_" + _ALNUM20 * 2,
        "sntrys_1",
    ),
    Form(
        "supabase_key",
        ("sbp_", "sbs_", "sb_secret_"),
        r"sb[ps]_[0-9a-f]{40}|sb_secret_[\w-]{20,}",
        "Supabase: keys",
        "sbp_" + _HEX32 + _HEX32[:8],
        "sbp_1",
    ),
    Form(
        "docker_token",
        ("dckr_pat_", "dckr_oat_"),
        r"dckr_[po]at_[\w-]{20,}",
        "Docker Hub: access tokens",
        "dckr_pat_" + _ALNUM20,
        "dckr_pat_",
    ),
    Form(
        "paseto",
        (".local.", ".public."),
        r"v[1-4]\.(?:local|public)\.[\w-]{40,}(?:\.[\w-]+)?",
        "PASETO",
        "v4.local." + _ALNUM20 * 3,
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
        "plaid_token",
        ("-sandbox-", "-development-", "-production-"),
        r"(?:access|public|link|processor)-(?:sandbox|development|production)"
        r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "Plaid: tokens",
        "access-sandbox-" + "12345678-1234-1234-1234-123456789012",
        "access-sandbox-1",
    ),
    Form(
        "elastic_key",
        ("essu_",),
        r"essu_[\w=+/-]{40,}",
        "Elastic Cloud: API keys",
        "essu_" + _ALNUM20 * 2,
        "essu_1",
    ),
    Form(
        "age_key",
        ("AGE-SECRET-KEY-1",),
        r"AGE-SECRET-KEY-1[0-9A-Z]{40,}",
        "age: secret keys",
        "AGE-SECRET-KEY-1" + "ABCDEFGHIJ0123456789" * 3,
        "AGE-SECRET-KEY-1",
    ),
    Form(
        "password_hash",
        ("$1$", "$2", "$5$", "$6$", "$7$", "$y$", "$apr1$", "$argon2", "_sha256$"),
        r"\$(?:[1567y]|apr1)\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9$]{1,40}\$[./A-Za-z0-9]{22,86}|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$[\w$=,./+-]{20,}"
        r"|(?:pbkdf2|bcrypt)_sha256\$[\w$=,./+-]{20,}",
        "crypt(5), PHC string format",
        "$argon2id$v=19$m=65536,t=3,p=4$" + _ALNUM20,
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
        "/reset-password/" + _ALNUM20,
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
    *SERVICES,
)

_COMPILED: Final = [(late(form.pattern, re.ASCII), form.kind) for form in FORMS]
_SIGNS: Final = ("_", "-", ".", "$", "/", ":")


def _sign_of(stem: str) -> str:
    return next((sign for sign in _SIGNS if sign in stem), "")


# By a sign that they have: most texts have few of these.
_STEMS: Final = {
    sign: [
        (stem, row)
        for row, form in enumerate(FORMS)
        for stem in form.stems
        if _sign_of(stem) == sign and " " not in stem
    ]
    for sign in ("", *_SIGNS)
}
_WITH_BLANKS: Final = [
    (stem, row) for row, form in enumerate(FORMS) for stem in form.stems if " " in stem
]


_SHORTEST: Final = 12
"""Characters of a token at least, between blanks."""


def find(text: str) -> Iterator[Span]:
    """Yield the tokens of known forms in a text."""
    long = " ".join([word for word in text.split() if len(word) >= _SHORTEST])
    rows = [row for stem, row in _WITH_BLANKS if stem in text]
    rows += [
        row for sign, stems in _STEMS.items() if sign in long for stem, row in stems if stem in long
    ]
    for row in dict.fromkeys(rows):
        pattern, kind = _COMPILED[row]
        for match in pattern.finditer(text):
            start = match.start()
            if start == 0 or not _goes_on(text, start):
                yield Span(start, match.end(), kind)


def _goes_on(text: str, start: int) -> bool:
    """Tell whether a token that seems to begin here is the middle of a longer word."""
    if text.startswith("bot", start - 3) and text[start].isdigit():
        return False  # how Telegram has it in its addresses
    before = text[start - 1]
    if before in "nrt" and text[start - 2 : start - 1] == "\\":
        return False  # the end of a line, in a text within a text
    return text[start].isalnum() and before.isascii() and before.isalnum()
