"""Personal data by its names and in texts: what is hidden where it is asked for, and what is not."""

from __future__ import annotations

import pytest

from flowery_logging.redaction.personal import KINDS, kind_of_name
from flowery_logging.redaction.personal_text import PersonalText

NAMES = {
    "phone": """
        phone mobile phone_number phoneNumber phoneNo phoneno mobile_no customer.phone
        home_phone cell_phone cellphone telephone tel telno tel_no hpno hp_no contact_number
        msisdn fax phone1 phone_2 user.mobile phones phone.home mobilePhone mobilephone PHONE
        Phone-Number 전화번호 휴대폰 휴대폰번호 휴대전화 연락처 전화 고객전화번호 핸드폰번호 user_phone_raw phone_numbers
        caller_number userphone
    """,
    "email": """
        email user.email user_email emailAddress email_address e_mail e-mail mail emails EMAIL
        useremail customer.mail_address email.from.address email.to.address 이메일 이메일주소 메일주소
        customerEmail contact_email
    """,
    "account": """
        account_no account_number accountNo bank_account bankAccountNumber iban acct_no account
        계좌번호 계좌 환불계좌 accountnumber refund_account bank.account
    """,
    "address": """
        address home_address customer.address addr street_address shippingAddress address1
        address_line_1 addr_detail billing.address 주소 배송지 도로명주소 상세주소 고객주소 street addressLine2
        homeaddress user.addr
    """,
    "name": """
        user.full_name customer_name customerName first_name lastName full_name fullname 이름 성명
        고객명 고객이름 예금주 recipient_name user.name user_name customer.name account_holder surname
        buyer.first_name 주문자명 수취인 cardholder_name user.target.name owner_name firstname nickname
        familyName
    """,
}

OTHERS = """
    logger_name service_name file_name service.name host.name process.name name file.name
    event_name product_name hostname filename username class_name thread_name ip_address
    mac_address remote_addr client.address server.address source.address destination.address
    host_address client_addr IP주소 맥주소 서버주소 url_address phone_verified is_phone has_email
    email_template email_count email_verified email.subject email.message_id phone_type
    mobile_app mobile_os mobile_web microphone headphone hotel telemetry account_id account_type
    cloud.account.id account.name account_status address_type address_id address_family 쿠폰 아이폰
    파일이름 상품명 상품이름 서비스이름 전화상담 주소록 이메일인증여부 계좌유형 email_sent_at mailbox mail_server mailer order_no
    number no user.id user.group.name display_name company_name brand_name consumer_name
    driver_name process.parent.name tenant_name telegram cell phone_model orderer_id customer_id
    recipient contact log.logger order.name user_agent.name user_agent.device.name
    container.image.name memory_address bind_address page_address
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_says_what_it_holds(kind: str) -> None:
    assert {name: kind_of_name(name) for name in NAMES[kind].split()} == dict.fromkeys(
        NAMES[kind].split(), kind
    )


def test_names_of_other_things_say_nothing() -> None:
    assert {name: kind_of_name(name) for name in OTHERS.split() if kind_of_name(name)} == {}


_FINDERS = [PersonalText(kind) for kind in KINDS]


def cleaned(text: str) -> str:
    """The text with each kind in the place of what is found; the quick look may pass nothing by."""
    spans = sorted((*span, one.kind) for one in _FINDERS for span in one.find(text))
    for one in _FINDERS:
        assert one.may_hold(text.encode()) or not list(one.find(text))
    shown, position = "", 0
    for start, end, kind in spans:
        if start >= position:
            shown, position = f"{shown}{text[position:start]}<{kind}>", end
    return shown + text[position:]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("전화 010-1234-5678입니다", "전화 <phone>입니다"),
        ("전화번호는010.1234.5678이고", "전화번호는<phone>이고"),
        ("01012345678로 연락", "<phone>로 연락"),
        ("tel:+82-10-1234-5678;ext=3", "tel:<phone>;ext=3"),
        (
            "+82 (0)10 1234 5678 / 0082-10-1234-5678 / 82-10-1234-5678 / +821012345678",
            "<phone> / <phone> / <phone> / <phone>",
        ),
        (
            "02-123-4567 (02) 123-4567 031)123-4567 070-1234-5678 0505-123-4567",
            "<phone> <phone> <phone> <phone> <phone>",
        ),
        (
            "+1 (415) 555-2671 call +44 20 7946 0958 +49-30-123456 %2B821012345678",
            "<phone> call <phone> <phone> <phone>",
        ),
        ("０１０－１２３４－５６７８ 010‑1234‑5678 010 1234 5678", "<phone> <phone> <phone>"),
        (
            '{"phone":"010-1234-5678","email":"kim@example.com"}',
            '{"phone":"<phone>","email":"<email>"}',
        ),
        (
            "{'phone': '1234-5678', 'name': 'x', 'customer_name': '김철수'}",
            "{'phone': '<phone>', 'name': 'x', 'customer_name': '<name>'}",
        ),
        (
            "메일 kim.chulsoo+tag@example.co.kr으로 보냄 <kim@한국.kr>",
            "메일 <email>으로 보냄 <<email>>",
        ),
        (
            "mailto:kim@example.com?subject=x email=kim%40example.com",
            "mailto:<email>?subject=x email=<email>",
        ),
        ("이름: 김철수 고객님 주문 완료", "이름: <name> 고객님 주문 완료"),
        (
            "고객명=김철수, 주소: 서울시 강남구 테헤란로 1, 3층 (역삼동)",
            "고객명=<name>, 주소: <address>",
        ),
        (
            "customer_name=Kim Chul Soo phone=01012345678 id=7",
            "customer_name=<name> phone=<phone> id=7",
        ),
        (
            "shipping_address: 12 Main St, Springfield order=7",
            "shipping_address: <address> order=7",
        ),
        (
            "계좌 110-123-456789 신한은행 110123456789 account number: 3333-01-1234567",
            "계좌 <account> 신한은행 <account> account number: <account>",
        ),
        ("신한 110-123-456789, 카카오: 3333-01-1234567", "신한 <account>, 카카오: <account>"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN <account>"),
        ("GET /u?customer_name=%EA%B9%80%EC%B2%A0&x=1", "GET /u?customer_name=<name>&x=1"),
        ("full_name='Kim Lee', first_name=\"Lee\"", "full_name='<name>', first_name=\"<name>\""),
        ("Full name: Kim Chulsoo", "Full name: <name>"),
        (
            '\\"phone\\": \\"1234-5678\\", \\"full_name\\": \\"Kim\\"',
            '\\"phone\\": \\"<phone>\\", \\"full_name\\": \\"<name>\\"',
        ),
        ("address=10.0.0.1:80 address: 서울", "address=10.0.0.1:80 address: <address>"),
    ],
)
def test_a_text_is_shown_without_what_is_personal(text: str, shown: str) -> None:
    assert cleaned(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "order 202611271234 took 1012345678 ns",
        "uuid 0f8fad5b-d9cb-469f-a165-70867728950e 1696118400000",
        "2026-11-27T12:34:56.123456+09:00 2026-11-27 12:34:56",
        "version 1.2.3.4567 ip 192.168.100.200:8080 10.0.0.1",
        "+0900 -12345678 1588-1234 080-123-4567",
        "git@github.com:a/b logo@2x.png lodash@4.17.21 ssh://root@host.example.com/x postgresql://a:b@db.example.com",
        "email: required email template sent phone: not given, address: 10.0.0.1, name: x",
        "file_name=a.txt logger_name: app service_name=x host.name=h username=kim",
        "account_id=123456789012 account 12345 not found 하나 2026-11-27 기업 123-45-67890",
        "customer_name=get_name(request) full_name=full_name customer_name: required 이름: 필수",
        "price 1,234,567,890 total 010 items 0.01012345678",
        "orderNo 02-1234-56789 2010-1234-5678 010-1234-56789",
        "user name is required; address family not supported: 97",
        "isbn 978-89-1234-567-8 tracking 1234-5678-9012",
        "0x7f010123456780 sha 01012345678abcdef a01012345678",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert cleaned(text) == text


_UNITS = [
    "0", "010-", "a@", "a:", "+8 ", "customer_name=", "주소: 서울 ", "계좌 ", "01 0-", '\\"', "a.b%",
    "a@b.c.", "name: Kim Lee ", "AB12 CD34 ", "account - ", "%40", "full full name ", "\\", "://a@b.kr",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("unit", _UNITS)
def test_a_long_text_is_read_to_its_end(unit: str) -> None:
    """Seconds for a megabyte; a pattern that is not linear would not come back for hours."""
    text = unit * (1_000_000 // len(unit))
    for one in _FINDERS:
        one.may_hold(text.encode())
        list(one.find(text))
