# What would fail later, or be unsafe, told at evaluation.
{ config, lib, ... }:
let
  cfg = config.services.homelabRunners;
  fleet = import ./fleet.nix { inherit config lib; };
  inherit (cfg) settings;
  option = "services.homelabRunners";

  strings =
    value:
    if builtins.isString value then
      [ value ]
    else if builtins.isAttrs value then
      lib.concatMap strings (lib.attrValues value)
    else if builtins.isList value then
      lib.concatMap strings value
    else
      [ ];
  # GitHub's tokens begin with a word for their kind; registration tokens are 29 characters and begin with A.
  isToken = text: builtins.match "(gh[oprsu]_|github_pat_).*|A[A-Z0-9]{28}" text != null;

  hasCredential = settings.github.credential or "registration-token" != "registration-token";

  isNumber = name: builtins.match "[1-9][0-9]{0,3}" name != null && lib.toInt name <= settings.count;
  strangers = builtins.filter (name: !isNumber name) (lib.attrNames (settings.runners or { }));
  onHost = builtins.filter (number: fleet.socketOf number == "host") fleet.numbers;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.tokensFile != null || hasCredential;
        message = "${option}.tokensFile is not set. Name the file with the lines RUNNER_TOKEN_1=… and so on, such as config.sops.secrets.homelab-runners.path.";
      }
      {
        assertion = !hasCredential || settings.github ? credential_file;
        message = "${option}.github.credentialFile is not set. Name the file with the personal access token or the App's key, such as config.sops.secrets.github.path.";
      }
      {
        assertion = cfg.tokensFile == null || settings.paths.tokens or null == cfg.tokensFile;
        message = "${option}.settings.paths.tokens is not ${option}.tokensFile. Set tokensFile alone.";
      }
      {
        assertion = settings.load_credential;
        message = "${option}.settings.load_credential = false: secrets of NixOS are read by systemd. Leave it out.";
      }
      {
        assertion = !(lib.any isToken (strings settings));
        message = "${option}.settings has a token in it, which would be world-readable in the Nix store. Put it into the file that tokensFile names, and revoke it.";
      }
      {
        assertion = strangers == [ ];
        message = "${option}.runners has ${lib.concatStringsSep ", " strangers}, and the runners are 1 to ${toString settings.count}. Use their numbers, or raise count.";
      }
      {
        assertion = !(settings.unit_format == "quadlet" && settings.engine == "docker");
        message = "${option}.unitFormat = \"quadlet\" is Podman's. Use \"service\" with Docker.";
      }
      {
        assertion = cfg.firstId + settings.count * 65536 <= 2147287040;
        message = "${option}.firstId leaves no room for ${toString settings.count} times 65536 ids below 2147287040. Lower it, or count.";
      }
    ];
    warnings =
      lib.optional (onHost != [ ])
        "${option}: socket = \"host\" for runner ${
          lib.concatMapStringsSep ", " toString onHost
        }: whoever can run a workflow there is root on this host. Use \"private\" or \"none\" but for repositories that you trust."
      ++
        lib.optional (!(settings.limits ? memory_max) && !(settings.fleet_limits ? memory_max))
          "${option}: neither limits.memoryMax nor fleetLimits.memoryMax is set: a workflow can take all of this host's memory."
      ++ lib.optional (lib.hasPrefix "http://" settings.url) "${option}.url begins with http://: registration tokens travel in clear. Use https://.";
  };
}
