# docs/nixos-options.md, from the options themselves: a list of lines. Works with nixpkgs' lib and with the stand-in.
{ lib, options }:
let
  # Options of a submodule, under the name that stands for any of its names.
  below =
    type:
    let
      sub = type.getSubOptions or (_: { }) [ ];
      placeholder = if type.name == "attrsOf" then "<N>." else "";
    in
    {
      inherit placeholder;
      options = removeAttrs sub [
        "_module"
        "_freeformOptions"
      ];
    };

  list =
    prefix: tree:
    lib.concatMap (
      name:
      let
        option = tree.${name};
        path = "${prefix}${name}";
        inner = below option.type;
      in
      if option._type or null != "option" then
        list "${path}." option
      else if option.internal or false then
        [ ]
      else
        [ { inherit path option; } ] ++ list "${path}.${inner.placeholder}" inner.options
    ) (lib.attrNames tree);

  value = option: if option ? defaultText then text option.defaultText else show option.default;
  text = literal: if builtins.isAttrs literal then literal.text else show literal;
  show =
    v:
    if v == null then
      "null"
    else if v == { } then
      "{ }"
    else if v == [ ] then
      "[ ]"
    else if builtins.isList v then
      "[ ${lib.concatMapStringsSep " " show v} ]"
    else
      builtins.toJSON v;

  oneLine =
    description:
    lib.concatStringsSep " " (
      builtins.filter (part: builtins.isString part && part != "") (
        builtins.split "[ \n]+" (if builtins.isAttrs description then description.text else description)
      )
    );

  entry =
    { path, option }:
    ''
      ### `${path}`

      ${oneLine option.description}

      - Type: ${option.type.description}
      - ${if option ? default || option ? defaultText then "Default: `${value option}`" else "Required"}
    ''
    + lib.optionalString (option ? example) (
      if builtins.length (lib.splitString "\n" (text option.example)) > 1 then
        "- Example:\n\n```nix\n${text option.example}```\n"
      else
        "- Example: `${text option.example}`\n"
    );
in
''
  # Options of `services.homelabRunners`

  Written by `nix/options-doc.nix` from the options themselves; `nix/tests/check.sh --update` writes it anew. How they are used: [NixOS](nixos.md).

''
+ lib.concatMapStringsSep "\n" entry (list "" options.services.homelabRunners)
