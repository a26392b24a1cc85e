# A NixOS that boots with two runners: testers.runNixOSTest. It has been evaluated here and not run; docs/nixos.md says what has.
#
# There is no GitHub in the test's network, so no runner comes online: what is looked at is all that comes before, and what a switch does to it.
{ module }:
{
  name = "homelab-runners";

  nodes.machine =
    { lib, pkgs, ... }:
    {
      imports = [ module ];
      virtualisation.memorySize = 2048;
      virtualisation.diskSize = 4096;

      # Stands for GitHub's image: it has what our entrypoint asks for, and a listener that only waits.
      systemd.services.load-image = {
        wantedBy = [ "multi-user.target" ];
        before = [ "homelab-runners-roll.service" ];
        path = [ pkgs.podman ];
        serviceConfig.Type = "oneshot";
        script = "podman load --input ${
          pkgs.dockerTools.buildImage {
            name = "localhost/stand-in";
            tag = "1";
            copyToRoot = pkgs.buildEnv {
              name = "stand-in";
              paths = [
                pkgs.bashInteractive
                pkgs.coreutils
              ];
            };
          }
        }";
      };

      environment.etc."tokens".text = ''
        RUNNER_TOKEN_1=AABBCCDDEEFFGGHHIIJJKKLLMMNNO
        RUNNER_TOKEN_2=AABBCCDDEEFFGGHHIIJJKKLLMMNNP
      '';

      services.homelabRunners = {
        enable = true;
        url = "https://github.invalid/acme/shop";
        count = 2;
        limits.memoryMax = "512M";
        tokensFile = "/etc/tokens";
        settings.image = "localhost/stand-in:1";
      };

      specialisation.fewer.configuration.services.homelabRunners.count = lib.mkForce 1;
      specialisation.edited.configuration.services.homelabRunners.limits.memoryMax = lib.mkForce "768M";
    };

  testScript = ''
    machine.wait_for_unit("multi-user.target")
    machine.wait_for_unit("homelab-runners.target")

    with subtest("runnerctl finds what it needs"):
        machine.succeed("runnerctl check --no-tokens")
        machine.succeed("runnerctl doctor --json >&2 || true")

    with subtest("accounts, sub-ids and units name the same ids"):
        uid = machine.succeed("id -u homelab-runner-1").strip()
        assert uid == "1879049193", uid
        machine.succeed("grep -x homelab-runner-1:1879048192:1001 /etc/subuid")
        machine.succeed("systemctl cat homelab-runner@1.service | grep -- --first-id=1879048192")

    with subtest("no unit has a token in it"):
        machine.fail("grep -r AABBCCDDEEFFGGHHIIJJKKLLMMNNP /run/current-system/etc/systemd/system/")

    with subtest("systemd reads every unit without complaint"):
        machine.succeed("systemd-analyze verify --man=no /etc/systemd/system/homelab-runner*")

    with subtest("a switch changes limits at once, and leaves runners alone"):
        before = machine.succeed("systemctl show -P MemoryMax homelab-runners-1.slice").strip()
        machine.succeed("/run/booted-system/specialisation/edited/bin/switch-to-configuration test >&2")
        after = machine.succeed("systemctl show -P MemoryMax homelab-runners-1.slice").strip()
        assert (before, after) == ("536870912", "805306368"), (before, after)

    with subtest("a runner that was stopped stays stopped over a switch"):
        machine.succeed("systemctl stop homelab-runner@2.service")
        machine.succeed("/run/booted-system/bin/switch-to-configuration test >&2")
        machine.wait_until_succeeds("systemctl show -P SubState homelab-runners-roll.service | grep -x exited")
        machine.fail("systemctl is-active homelab-runner@2.service")

    with subtest("a runner that is gone is stopped, and its account removed"):
        machine.succeed("/run/booted-system/specialisation/fewer/bin/switch-to-configuration test >&2")
        machine.fail("systemctl cat homelab-runner@2.service")
        machine.fail("id homelab-runner-2")
  '';
}
