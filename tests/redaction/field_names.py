"""Names of fields: those of secrets, and those that tell a fact about one."""

from __future__ import annotations

from typing import Final

SECRET: Final = """
    password Password userPassword user_pwd passwd pw passphrase secret clientSecret
    client_secret api_key apiKey API-KEY apikey access_token accessToken refresh_token id_token
    auth_token csrf_token session_id sessionid session_key sid cookie set-cookie authorization
    private_key privateKey secret_key SECRET_KEY_BASE encryption_key signing_key
    aws_secret_access_key aws_session_token bearer jwt credentials otp otp_code totp_secret
    mfa_code verification_code cvc cvv card_number cardNo card_no pin ssn rrn jumin jumin_no
    resident_no residentNumber passport_no passportNumber driver_license_no
    alien_registration_no imp_secret signKey merchant_key 비밀번호 주민번호 주민등록번호
    외국인번호 외국인등록번호 여권번호 면허번호 운전면허번호 카드번호 인증번호 비번 토큰
    보안코드 cvc번호 kakao_rest_api_key naver_client_secret toss_secret_key portone_api_secret
    nhn_secret_key firebase_server_key fcm_token device_token push_token webhook_secret hmac_key
    ssh_key master_key access_key secret_access_key ticket_token login_pw userPw new_pw pwd1
    password2 db_pass smtp_pass dsn_password x_api_key x-csrf-token xsrf_token
    oauth_token_secret consumer_secret recovery_code backup_codes security_answer
    account_password temp_password old_password password_confirmation hashed_password appsecret
    app_secret serviceKey confmKey jwt_secret vault_token deploy_key connection_string_password
    cert_password keystore_password truststorePassword wifi_password ldap_bind_pw card_pin
    simple_password pay_password biz_api_key accountPassword adminPassword api-secret apiToken
    appSecret authToken auth_key authorization_header_value aws_access_key_id_secret bearerToken
    botToken cardCvc card_pan_number clientSecretKey client_credentials confirmPassword
    customer_rrn dbPassword db_credentials deviceToken encryptedPassword fcmToken ftpPassword
    gateway_password githubToken hmac_secret idToken juminNo jumin_number kakaoAccessToken
    licenseNumber loginPw masterPassword mem_pw member_password newPassword oauthToken otpCode
    otp_number passportNum pay_token payPin pinNumber privateKeyPem refreshToken
    residentRegistrationNumber rrnNo secretAccessKey secretToken serviceAccountKey sessionToken
    signingSecret sms_code ssn_no sshPrivateKey tempPassword tokenSecret user_passwd userToken
    webhookSecret x-access-token xAuthToken 결제비밀번호 계좌비밀번호 로그인비밀번호
    본인인증번호 비밀번호확인 새비밀번호 시크릿키 액세스토큰 인증토큰 주민등록번호뒷자리 카드CVC
    보안카드번호 공동인증서비밀번호 page_access_token pageAccessToken new_token start_token
    last_token current_token invalid_token expected_token resume_token client_token reset_token
    next_refresh_token fb_page_token login_error_access_token sync_auth_token previous_token
    upload_token continuation_auth_token unsubscribe_token invite_token registration_token
"""
"""Names whose values are hidden, whatever they are."""

SHOWN: Final = """
    password_changed_at password_policy password_length password_type has_password
    is_token_valid token_type token_count tokens_used max_tokens prompt_tokens total_tokens
    token_expires_in token_expires_at api_key_id key_id access_key_id_hash cookie_count
    cookie_policy otp_enabled session_id_hash session_count session_duration pin_code pin_count
    secret_name secret_version secret_arn secret_id auth_method auth_type author authority
    authorized authorization_url authentication passenger pass_rate passed passport_country
    passport_expiry license_plate license license_key_id card_type card_brand card_last4
    card_count card_company card_expiry key sort_key routing_key primary_key partition_key
    cache_key foreign_key public_key idempotency_key hotkey keyboard monkey tokenizer secretary
    compass bypass sessions csrf_enabled jwt_algorithm jwt_issuer credential_type
    credentials_path password_file token_url token_endpoint verification_code_sent_at otp_length
    비밀번호변경일 비밀번호오류횟수 카드사 카드종류 인증방식 토큰만료 주문번호 회원번호 승인번호
    우편번호 사업자등록번호 order_no tracking_no pinned shipping spin salt_intake ssid sid_count
    panel company japan span password_reset_url password_strength password_expired
    password_valid tokenized secret_rotation_days code state nonce_count signature_version
    signature_valid certificate hash checksum passwordResetCount tokenExpiresAt tokenIssuedAt
    lastPasswordChange passwordChangeRequired apiKeyName apiKeyPrefix sessionDuration
    sessionCount cookieDomain cookieConsent isPasswordExpired hasToken secretName secretVersion
    cardType cardIssuer cardLast4 cardHolderType pinCode authType authProvider authLevel
    authenticated authorId tokenType tokenCount inputTokens outputTokens maxTokens keyName
    keyType cacheKey objectKey primaryKey publicKey keyword keyboardLayout licenseType
    licensePlate passengerCount passRate compassHeading otpSentAt otpLength jwtIssuer
    ssnVerified verificationStatus securityLevel signatureMethod 비밀번호변경일시 토큰만료시간
    error_token errorToken unexpected_token parser_error_token offending_token lookahead_token
    next_token NextToken nextPageToken next_page_token prev_page_token previousPageToken
    page_token pageToken start_page_token newStartPageToken pagination_token paging_token
    continuation_token NextContinuationToken sync_token nextSyncToken scroll_token skip_token
    delta_token cursor_token starting_token upload_sequence_token nextSequenceToken
    idempotency_token fencing_token cancellation_token eos_token pad_token error_token_type
    인증번호발송건수 카드번호길이 카드사코드 여권만료일 면허종류 주민등록상주소여부
"""
"""Names whose values are shown."""
