#!/bin/sh
# Makes the team's certificate authority, and certificates that it signs, for Logstash and Filebeat.
# Where it goes: run it on one machine, `sh certificates.sh DIR logstash=10.0.0.7 filebeat`, keep
# DIR/ca.key there, and copy ca.crt with each NAME.crt and NAME.key to where they are used.
# A name may be followed by the host names and addresses at which it is reached, after = and commas.
# What to change: nothing. DAYS is how long a certificate holds (default 365); the authority holds for
# ten years. What is there is kept: to renew a certificate delete its .crt and run it again.
set -eu
umask 077
[ $# -ge 2 ] || { echo "usage: sh certificates.sh DIR NAME[=HOST,...] ..." >&2; exit 2; }
folder=$1
shift
days=${DAYS:-365}
mkdir -p "$folder"
cd "$folder"

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

alternatives() {
  printf 'DNS:%s,DNS:localhost,IP:127.0.0.1' "$1"
  for host in $(printf %s "$2" | tr , ' '); do
    case $host in
      *:*) printf ',IP:%s' "$host" ;;
      *[!0-9.]*) printf ',DNS:%s' "$host" ;;
      *) printf ',IP:%s' "$host" ;;
    esac
  done
}

if [ ! -f ca.crt ]; then
  new_key ca.key
  openssl req -x509 -new -key ca.key -days 3650 -subj '/CN=flowery logging' -out ca.crt \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign'
fi
for named in "$@"; do
  name=${named%%=*}
  hosts=
  [ "$name" = "$named" ] || hosts=${named#*=}
  case $name in '' | ca | *[!A-Za-z0-9._-]*) echo "no name for a certificate: $name" >&2; exit 2 ;; esac
  if [ -f "$name.crt" ]; then
    echo "$name.crt is there: $(openssl x509 -in "$name.crt" -noout -enddate)"
    continue
  fi
  [ -f "$name.key" ] || new_key "$name.key"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  printf 'subjectAltName=%s\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' \
    "$(alternatives "$name" "$hosts")" > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" \
    -extfile "$name.ext" -out "$name.crt" 2>/dev/null
  rm "$name.csr" "$name.ext"
  echo "$name.crt: $(openssl x509 -in "$name.crt" -noout -enddate)"
done
chmod 644 ./*.crt
