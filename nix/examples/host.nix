# A whole host: four runners of an organisation, the reports for the local network.
{
  networking.hostName = "runners";
  system.stateVersion = "26.05";

  services.homelabRunners = {
    enable = true;
    url = "https://github.com/acme";
    labels = [ "homelab" ];
    # Lines RUNNER_TOKEN_1=… to RUNNER_TOKEN_4=…; root alone may read it. See sops-nix.nix and agenix.nix.
    tokensFile = "/var/keys/homelab-runners.env";

    # Of each runner, with all that its workflows start.
    limits = {
      cpuQuota = "200%";
      memoryMax = "4G";
      tasksMax = 4096;
    };
    # Of all of them together: the host itself keeps two of eight cores and a quarter of its memory.
    fleetLimits = {
      cpuQuota = "600%";
      memoryMax = "75%";
    };

    # The one for heavy builds.
    runners."4" = {
      labels = [
        "homelab"
        "big"
      ];
      limits.cpuQuota = "400%";
      limits.memoryMax = "8G";
    };

    reports = {
      listen = "0.0.0.0:8089";
      openFirewall = true;
      url = "http://runners.lan:8089";
    };

    # Whatever has no option of its own: docs/configuration.md.
    settings.prune.work_max = "40G";
  };
}
