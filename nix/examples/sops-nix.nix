# Tokens by sops-nix: https://github.com/Mic92/sops-nix
let
  # In a module with arguments: config.sops.secrets.homelab-runners.path
  path = "/run/secrets/homelab-runners";
in
{
  sops.defaultSopsFile = ./secrets.yaml;
  # In secrets.yaml: homelab-runners: | and below it the lines RUNNER_TOKEN_1=… and so on.
  sops.secrets.homelab-runners = {
    # systemd reads it, as root.
    mode = "0400";
    # A new token changes no unit: runners that are registered need none, and the others take it at their next start.
    restartUnits = [ ];
  };

  services.homelabRunners = {
    enable = true;
    url = "https://github.com/OWNER/REPOSITORY";
    limits.memoryMax = "4G";
    tokensFile = path;
  };
}
