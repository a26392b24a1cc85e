# What happens at boot and at a switch: `runnerctl roll`.
#
# The units tell switch-to-configuration to leave them alone (X-RestartIfChanged=, X-OnlyManualStart=): otherwise it would end workflow jobs, and start again what
# somebody has stopped. This service is the one that changes with them. At boot it starts the target; after a switch it starts what is new and restarts what is outdated, each runner
# once it is idle. What is removed has been stopped by then, with its old unit.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.homelabRunners;
  fleet = import ./fleet.nix { inherit config lib; };
  podman = "${config.virtualisation.podman.package}/bin/podman";
  usesPodman = cfg.settings.engine == "podman" || fleet.withEngine != [ ];
  configFile = config.environment.etc."homelab-runners/config.toml".source;
  runnerctl = lib.getExe cfg.package;
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.homelab-runners-roll = {
      description = "Rolls GitHub Actions runners to their new units";
      documentation = [ "man:runnerctl(1)" ];
      wantedBy = [ "multi-user.target" ];
      # Nothing is stopped by its stop, so nothing is gained by stopping it early.
      stopIfChanged = false;
      restartTriggers = [
        cfg.finalUnits
        configFile
      ];
      serviceConfig = {
        # A switch does not wait for runners.
        Type = "exec";
        # Else it would be started by every switch, and not by those alone that change it.
        RemainAfterExit = true;
        ExecStart = lib.concatStringsSep " " (
          [ runnerctl ] ++ lib.optional usesPodman "--podman=${podman}" ++ [ "roll" ]
        );
      };
    };

    # The one thing that a switch would do to a workflow job: stop a runner that is no longer there. So it is refused before anything is changed.
    system.preSwitchChecks.homelab-runners = ''
      case "''${2-}" in
        switch | test)
          if [ -S /run/dbus/system_bus_socket ]; then
            ${runnerctl} --config=${configFile} roll --check || [ "$?" -ne 1 ]
          fi
          ;;
      esac
    '';
  };
}
