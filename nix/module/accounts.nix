# The accounts of the private engines: unprivileged, each with the ids of its runner's container (src/fleet/ids.rs has the why of the numbers).
{ config, lib, ... }:
let
  cfg = config.services.homelabRunners;
  fleet = import ./fleet.nix { inherit config lib; };

  length = 65536;
  # The user `runner` in GitHub's images.
  runnerId = 1001;

  first = number: cfg.firstId + (number - 1) * length;
  ranges = key: number: [
    {
      ${key} = first number;
      count = runnerId;
    }
    {
      ${key} = first number + runnerId + 1;
      count = length - runnerId - 1;
    }
  ];
  ofEach =
    make: lib.listToAttrs (map (n: lib.nameValuePair (fleet.name n) (make n)) fleet.withEngine);
  # Whom the monitor runs as: D-Bus wants a user that it finds in the list of users.
  monitorName = "homelab-runners-monitor";
  monitor = user: lib.optionalAttrs (cfg.monitor.enable != false) { ${monitorName} = user; };
in
{
  config = lib.mkIf cfg.enable {
    users.users =
      monitor {
        isSystemUser = true;
        group = monitorName;
      }
      // ofEach (number: {
        description = "private engine of GitHub Actions runner ${toString number}";
        isSystemUser = true;
        uid = first number + runnerId;
        group = fleet.name number;
        home = "${fleet.state}/${toString number}/engine";
        subUidRanges = ranges "startUid" number;
        subGidRanges = ranges "startGid" number;
      });
    users.groups =
      monitor { }
      // ofEach (number: {
        gid = first number + runnerId;
      });
  };
}
