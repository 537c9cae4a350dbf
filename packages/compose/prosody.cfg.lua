-- Prosody for Zentrale: people at example.org, rooms with an archive at rooms.example.org, and Zentrale at chat.example.org.
-- Replace example.org by your domain, and the secret by the one that `zentrale init` has printed.
data_path = "/var/lib/prosody"
log = { { levels = { min = "info" }, to = "console" } }
admins = {}
modules_enabled = {
  "roster", "saslauth", "tls", "disco", "carbons", "pep", "private", "blocklist", "vcard4", "vcard_legacy", "mam", "csi_simple", "ping", "smacks"
}
-- Certificates: put them into a volume at /etc/prosody/certs. Without them, apps can log in only where this is false:
c2s_require_encryption = true
authentication = "internal_hashed"
component_interface = "127.0.0.1"
component_ports = { 5347 }

VirtualHost "example.org"

Component "rooms.example.org" "muc"
  modules_enabled = { "muc_mam" }
  muc_room_default_persistent = true

Component "chat.example.org"
  component_secret = "…"
