# Configurations of services.homelabRunners, each beside what every one of them needs (facts.nix): what works, and what must not.
{
  good = {
    defaults = {
      limits.memoryMax = "4G";
    };

    everything = {
      labels = [
        "homelab"
        "nixos"
      ];
      limits = {
        cpuQuota = "200%";
        memoryMax = "4G";
        memoryHigh = "3584M";
        tasksMax = 4096;
        ioWeight = 100;
      };
      fleetLimits = {
        cpuQuota = "600%";
        memoryMax = "75%";
        tasksMax = "infinity";
      };
      runners."2" = {
        name = "homelab-big";
        labels = [ "big" ];
        limits.memoryMax = "8G";
        environment.GREETING = "a \"b\" $c %d";
      };
      runners."3".socket = "none";
      reports = {
        layout = "{repository}.{workflow}/{run_id}";
        listen = "0.0.0.0:8089";
        openFirewall = true;
        url = "https://reports.lan:8089";
        tls.certificate = "/run/secrets/reports.pem";
        tls.key = "/run/secrets/reports.key";
        retention.maxAge = "30d";
        retention.runsMax = 100;
      };
      monitor = {
        listen = "0.0.0.0:8090";
        openFirewall = true;
        githubInterval = "2m";
      };
      settings = {
        prune.work_max = "40G";
        environment.TZ = "Europe/Berlin";
        # Wins over the typed option.
        fleet_limits.cpu_quota = "700%";
      };
    };

    service = {
      unitFormat = "service";
      count = 2;
      monitor.heal = false;
      limits.memoryMax = "4G";
    };

    personalAccessToken = {
      tokensFile = null;
      count = 1;
      limits.memoryMax = "4G";
      monitor.enable = false;
      github.credential = "pat";
      github.credentialFile = "/run/secrets/github";
      github.encrypted = true;
      shutdownTimeout = "2m";
    };

    ephemeral = {
      tokensFile = null;
      count = 2;
      limits.memoryMax = "4G";
      github.credential = "pat";
      github.credentialFile = "/run/secrets/github";
      ephemeral = true;
      runners."2".ephemeral = false;
    };

    docker = {
      engine = "docker";
      count = 2;
      runners."2".socket = "private";
      limits.memoryMax = "4G";
    };

    moved = {
      count = 1;
      firstId = 1000000000;
      limits.memoryMax = "4G";
      settings.paths.state = "/srv/runners";
    };
  };

  examples = {
    host = ../examples/host.nix;
    sops-nix = ../examples/sops-nix.nix;
    agenix = ../examples/agenix.nix;
  };

  asserted = {
    tokensFileIsMissing.tokensFile = null;
    tokensFileIsAnother.settings.paths.tokens = "/etc/tokens";
    credentialFileIsMissing.github.credential = "pat";
    tokensAreRead.settings.load_credential = false;
    patInSettings.settings.environment.PAT = "github_pat_11AAAA";
    registrationTokenInSettings.settings.environment.TOKEN = "AABBCCDDEEFFGGHHIIJJKKLLMMNNO";
    runnerThatIsNot.runners."5".labels = [ "big" ];
    runnerByName.runners.big.labels = [ "big" ];
    quadletWithDocker = {
      engine = "docker";
      unitFormat = "quadlet";
    };
    idsDoNotFit = {
      count = 5;
      firstId = 2147000000;
    };
  };

  # Nix has nothing against them; runnerctl has.
  unbuildable = {
    unknownKey.settings.nonsense = true;
    ephemeralWithoutGithub.ephemeral = true;
    latestImage.settings.image = "ghcr.io/actions/actions-runner:latest";
  };

  warned = {
    nothing = {
      limits.memoryMax = "4G";
    };
    hostSocket = {
      limits.memoryMax = "4G";
      runners."4".socket = "host";
    };
    memory = { };
    plainHttp = {
      limits.memoryMax = "4G";
      url = "http://github.lan/acme/shop";
    };
  };

  refused = {
    misspelt.tokenFile = "/run/secrets/x";
    misspeltLimit.limits.memory = "4G";
    storePath.tokensFile = "/nix/store/5zq7hnf1fycqfq57wdgr07gw20qgdn0b-t";
    pathLiteral.tokensFile = ./cases.nix;
    relativePath.tokensFile = "secrets/x";
    badMemory.limits.memoryMax = "lots";
    badQuota.limits.cpuQuota = "2";
    zeroQuota.limits.cpuQuota = "0%";
    noRunner.count = 0;
    tooManyRunners.count = 1001;
    badUrl.url = "ssh://github.com/acme/shop";
    ownerlessUrl.url = "https://github.com";
    engine.engine = "containerd";
    socket.socket = "shared";
    unitFormat.unitFormat = "compose";
    nullInSettings.settings.image = null;
    keyInStore.reports.tls.key = "/nix/store/5zq7hnf1fycqfq57wdgr07gw20qgdn0b-k";
    listen.reports.listen = "8089";
    monitorListen.monitor.listen = "8090";
    credential.github.credential = "password";
    credentialInStore.github.credentialFile = "/nix/store/5zq7hnf1fycqfq57wdgr07gw20qgdn0b-c";
  };
}
