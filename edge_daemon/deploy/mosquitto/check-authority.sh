#!/bin/sh
# check-authority.sh FILE: whether the gateways' authority may sign no name with a dot, hence no desk's. For mosquitto's
# unit, so that no broker starts without it (/etc/systemd/system/mosquitto.service.d/pingan.conf):
#   [Service]
#   ExecStartPre=/etc/mosquitto/pingan/check-authority.sh /etc/mosquitto/pingan/ca-gateways-jianghai.pem
set -eu
file=$1
# openssl reads the first certificate only: a second one would go unchecked.
test "$(grep -c 'BEGIN.*CERTIFICATE' "$file")" = 1 || { echo "$file: not one certificate" >&2; exit 1; }
openssl x509 -in "$file" -noout -ext nameConstraints 2>/dev/null | tr -d ' \n' | grep -q 'Excluded:\(.*:\)*DNS:$' ||
    { echo "$file: this authority can sign a desk's name; see mosquitto.conf" >&2; exit 1; }
