# Tokens by agenix: https://github.com/ryantm/agenix
let
  # In a module with arguments: config.age.secrets.homelab-runners.path
  path = "/run/agenix/homelab-runners";
in
{
  age.secrets.homelab-runners = {
    file = ./homelab-runners.age;
    # systemd reads it, as root.
    mode = "0400";
  };

  services.homelabRunners = {
    enable = true;
    url = "https://github.com/OWNER/REPOSITORY";
    limits.memoryMax = "4G";
    tokensFile = path;
  };
}
