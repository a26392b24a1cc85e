# The typed options, as keys of the config.toml.
{ config, lib, ... }:
let
  cfg = config.services.homelabRunners;

  # memoryMax -> memory_max
  snake =
    name:
    lib.concatMapStrings (
      part: if builtins.isList part then "_${lib.toLower (builtins.head part)}" else part
    ) (builtins.split "([A-Z])" name);

  # Without nulls and without tables that would be empty: TOML has no null, and an empty table says nothing.
  table =
    options:
    lib.filterAttrs (_: value: value != null && value != { }) (
      lib.mapAttrs' (
        name: value: lib.nameValuePair (snake name) (if builtins.isAttrs value then table value else value)
      ) options
    );

  # Names of the environment are not ours to spell.
  runner =
    options:
    table (removeAttrs options [ "environment" ])
    // lib.optionalAttrs (options.environment != { }) { inherit (options) environment; };

  github = table cfg.github;

  # What stands in `settings` itself wins.
  asDefaults =
    value: if builtins.isAttrs value then lib.mapAttrs (_: asDefaults) value else lib.mkDefault value;
in
{
  config = lib.mkIf cfg.enable {
    services.homelabRunners.settings = asDefaults (
      {
        inherit (cfg) url count;
        inherit (cfg) engine socket;
        unit_format = cfg.unitFormat;
        load_credential = true;
        limits = table cfg.limits;
        fleet_limits = table cfg.fleetLimits;
        reports = table (removeAttrs cfg.reports [ "openFirewall" ]);
        monitor = table (
          removeAttrs cfg.monitor [
            "enable"
            "openFirewall"
          ]
          // {
            enabled = cfg.monitor.enable;
          }
        );
        runners = lib.mapAttrs (_: runner) cfg.runners;
      }
      // lib.optionalAttrs (github != { }) { inherit github; }
      // lib.optionalAttrs (cfg.shutdownTimeout != null) { timeouts.shutdown = cfg.shutdownTimeout; }
      // lib.optionalAttrs (cfg.ephemeral != null) { inherit (cfg) ephemeral; }
      // lib.optionalAttrs (cfg.labels != [ ]) { inherit (cfg) labels; }
      // lib.optionalAttrs (cfg.tokensFile != null) { paths.tokens = cfg.tokensFile; }
    );
  };
}
