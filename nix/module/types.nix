# Types that more than one option has. `null` is "not set": such a key is left out of the config.toml, and runnerctl's own default holds.
{ lib }:
let
  inherit (lib) mkOption types;
  key =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  memory = types.strMatching "[1-9][0-9]*[KMGT]?|[1-9][0-9]?%|100%|infinity";
in
{
  inherit key;

  socket = types.enum [
    "private"
    "host"
    "none"
  ];

  limits =
    description:
    mkOption {
      default = { };
      inherit description;
      type = types.submodule {
        options = {
          cpuQuota = key (types.strMatching "[1-9][0-9]*%") "CPU time in percent of one core: `200%` is two cores (`CPUQuota=`).";
          memoryMax = key memory "Memory at which the kernel kills: `4G`, `512M` (powers of 1024), `25%` or `infinity` (`MemoryMax=`).";
          memoryHigh = key memory "Memory at which the kernel throttles and reclaims (`MemoryHigh=`).";
          tasksMax = key (types.either types.ints.positive (
            types.enum [ "infinity" ]
          )) "Most processes and threads (`TasksMax=`).";
          ioWeight = key (types.ints.between 1 10000) "Share of disk I/O against the neighbours, systemd's default is 100 (`IOWeight=`).";
        };
      };
    };
}
