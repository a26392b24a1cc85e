# What follows from the settings, for the other files of the module: which runners there are, and which have an engine of their own.
{ config, lib }:
let
  cfg = config.services.homelabRunners;
  inherit (cfg) settings;
  numbers = lib.range 1 settings.count;
  socketOf = number: settings.runners.${toString number}.socket or settings.socket;
in
{
  inherit numbers socketOf;
  name = number: "homelab-runner-${toString number}";
  withEngine = builtins.filter (number: socketOf number == "private") numbers;
  state = settings.paths.state or "/var/lib/homelab-runners";
}
