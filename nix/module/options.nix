# What can be set. Every typed option is one key of the config.toml; `settings` takes all others.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.homelabRunners;
  inherit (import ./types.nix { inherit lib; })
    key
    limits
    socket
    ;
in
{
  options.services.homelabRunners = {
    enable = lib.mkEnableOption "self-hosted GitHub Actions runners, see homelab-runners' docs/nixos.md";

    package = lib.mkPackageOption pkgs "homelab-runners" { };

    generatorPackage = mkOption {
      type = types.package;
      default =
        if pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform then
          cfg.package
        else
          pkgs.buildPackages.homelab-runners;
      defaultText = literalExpression "config.services.homelabRunners.package, as it runs where the system is built";
      description = "The `runnerctl` that renders the units while the system is built. Only when building for another architecture is it not the one that runs.";
    };

    url = mkOption {
      type = types.strMatching "https?://[^/]+/[^/]+(/[^/]+)?/?";
      example = "https://github.com/OWNER/REPOSITORY";
      description = "Where the runners register: a repository, organisation or enterprise, at github.com or a GitHub Enterprise Server.";
    };

    count = mkOption {
      type = types.ints.between 1 1000;
      default = 4;
      description = "Number of runners. Runner N is called `homelab-runner-N` and reads `RUNNER_TOKEN_N`.";
    };

    labels = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      example = [ "homelab" ];
      description = "Custom labels beside GitHub's own `self-hosted`, `Linux` and the architecture's.";
    };

    ephemeral = key types.bool "A new runner for each workflow job: a registration and a container of its own, and nothing left of the last. Needs `github`.";

    tokensFile = mkOption {
      type = types.nullOr types.externalPath;
      default = null;
      example = "/run/secrets/homelab-runners";
      description = ''
        File on the host with the registration tokens, a line `RUNNER_TOKEN_N=…` for each runner; such as sops-nix and agenix make it.
        systemd reads it and hands it to the units (`LoadCredential=`), so root alone has to be able to read it. It never enters the Nix store:
        a path literal such as `./tokens`, which Nix would copy there, is refused.
      '';
    };

    github = import ./github.nix { inherit lib; };

    shutdownTimeout = mkOption {
      type = types.nullOr (types.strMatching "[0-9]+(s|m|min)");
      default = null;
      example = "5m";
      description = "A shutdown or reboot of the host waits for running workflow jobs this long, at most 20 minutes; `0s`: not at all. runnerctl's default: ten minutes.";
    };

    engine = mkOption {
      type = types.enum [
        "podman"
        "docker"
      ];
      default = "podman";
      description = "What runs the containers. The module enables it.";
    };

    unitFormat = mkOption {
      type = types.enum [
        "quadlet"
        "service"
      ];
      default = if cfg.engine == "podman" then "quadlet" else "service";
      defaultText = literalExpression ''if engine == "podman" then "quadlet" else "service"'';
      description = "How runners are written. Quadlet files go through Podman's generator while the system is built: mistakes are errors of the build, and a switch sees the units.";
    };

    socket = mkOption {
      type = socket;
      default = if cfg.engine == "podman" then "private" else "host";
      defaultText = literalExpression ''if engine == "podman" then "private" else "host"'';
      description = ''
        The container socket that workflows get: an engine of the runner's own (`private`), the host's, with which whoever can run a workflow is root on this
        host (`host`), or `none`.
      '';
    };

    limits = limits "Budget of each runner, and of all that its workflows start (systemd.resource-control(5)).";

    fleetLimits = limits "Ceiling over all runners together.";

    runners = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            name = key types.nonEmptyStr "Name at GitHub and of the container.";
            labels = key (types.listOf types.nonEmptyStr) "Replaces the fleet's labels.";
            image = key types.nonEmptyStr "Replaces the fleet's image.";
            socket = key socket "Replaces the fleet's socket.";
            ephemeral = key types.bool "Replaces the fleet's `ephemeral`.";
            limits = limits "Replaces single limits.";
            environment = mkOption {
              type = types.attrsOf types.str;
              default = { };
              description = "Environment of this runner's workflow jobs; visible to all of them: no secrets here.";
            };
          };
        }
      );
      default = { };
      example = literalExpression ''{ "4".labels = [ "homelab" "big" ]; }'';
      description = "What differs for single runners, by number.";
    };

    reports = import ./reports.nix { inherit lib; };

    monitor = import ./monitor.nix { inherit lib; };

    firstId = mkOption {
      type = types.ints.between 65536 2147287040;
      default = 1879048192;
      description = ''
        First user and group id of the private engines: runner N has the 65536 ids from `firstId + (N - 1) * 65536` on. To be set only where they are somebody
        else's, and before runners have stored anything.
      '';
    };

    verifyUnits = mkOption {
      type = types.bool;
      default = true;
      description = "Have `systemd-analyze verify` read the units while the system is built; whatever it has to say is an error.";
    };

    settings = mkOption {
      type = types.submodule { freeformType = (pkgs.formats.toml { }).type; };
      default = { };
      example = literalExpression ''
        {
          image = "ghcr.io/actions/actions-runner:2.338.0";
          prune.work_max = "40G";
          environment.TZ = "Europe/Berlin";
        }
      '';
      description = "Any key of the config.toml, as docs/configuration.md has it. What is set here wins over the other options. It is world-readable in the Nix store: no secrets here.";
    };

    finalUnits = mkOption {
      type = types.package;
      internal = true;
      readOnly = true;
      description = "The rendered units.";
    };
  };
}
