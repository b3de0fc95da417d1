#!/bin/bash
# Installs Docker and Docker Compose on Amazon Linux 2 or Amazon Linux 2023 and starts Docker at every boot.
set -euo pipefail
if command -v dnf >/dev/null 2>&1; then
  dnf install -y docker
else
  amazon-linux-extras install -y docker || yum install -y docker
fi
systemctl enable --now docker
usermod -aG docker ec2-user
plugins=/usr/local/lib/docker/cli-plugins
mkdir -p "$plugins"
curl -fsSL --retry 5 -o "$plugins/docker-compose" \
  "https://github.com/docker/compose/releases/download/v2.29.7/docker-compose-linux-$(uname -m)"
chmod +x "$plugins/docker-compose"
docker compose version
