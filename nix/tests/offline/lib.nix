# A small stand-in for nixpkgs' lib: enough of the module system to evaluate our own module on a machine that has `nix-instantiate` but no nixpkgs. Own code, not
# derived from nixpkgs. Where the real lib is at hand the same tests run with it: check.sh --nixpkgs DIR.
let
  b = builtins;
  showLoc = b.concatStringsSep ".";
  isA = t: v: b.isAttrs v && v._type or null == t;

  # ---- lists, attrs, strings -------------------------------------------------
  l = rec {
    inherit (b)
      all
      any
      attrNames
      attrValues
      concatLists
      concatMap
      concatStringsSep
      elem
      elemAt
      filter
      foldl'
      functionArgs
      genList
      hasAttr
      head
      isAttrs
      isBool
      isFloat
      isFunction
      isInt
      isList
      isPath
      isString
      length
      listToAttrs
      map
      mapAttrs
      match
      removeAttrs
      replaceStrings
      sort
      stringLength
      tail
      toJSON
      toString
      tryEval
      intersectAttrs
      fromJSON
      seq
      deepSeq
      substring
      ;
    optional = c: x: if c then [ x ] else [ ];
    optionals = c: x: if c then x else [ ];
    optionalString = c: s: if c then s else "";
    optionalAttrs = c: a: if c then a else { };
    flatten = x: if isList x then concatMap flatten x else [ x ];
    range = a: z: if a > z then [ ] else genList (n: a + n) (z - a + 1);
    unique = foldl' (acc: x: if elem x acc then acc else acc ++ [ x ]) [ ];
    imap1 = f: xs: genList (n: f (n + 1) (elemAt xs n)) (length xs);
    nameValuePair = name: value: { inherit name value; };
    mapAttrs' = f: s: listToAttrs (map (n: f n s.${n}) (attrNames s));
    mapAttrsToList = f: s: map (n: f n s.${n}) (attrNames s);
    filterAttrs =
      p: s: listToAttrs (concatMap (n: optional (p n s.${n}) (nameValuePair n s.${n})) (attrNames s));
    genAttrs = ns: f: listToAttrs (map (n: nameValuePair n (f n)) ns);
    attrByPath =
      p: d: s:
      if p == [ ] then
        s
      else if isAttrs s && s ? ${head p} then
        attrByPath (tail p) d s.${head p}
      else
        d;
    concatMapStringsSep =
      sep: f: xs:
      concatStringsSep sep (map f xs);
    concatStrings = concatStringsSep "";
    concatMapStrings = f: xs: concatStrings (map f xs);
    concatLines = concatMapStrings (s: s + "\n");
    hasPrefix = p: s: substring 0 (stringLength p) s == p;
    hasSuffix =
      p: s:
      let
        n = stringLength s - stringLength p;
      in
      n >= 0 && substring n (stringLength p) s == p;
    hasInfix = i: s: length (b.filter isString (b.split (escapeRegex i) s)) > 1;
    splitString = sep: s: b.filter isString (b.split (escapeRegex sep) s);
    last = xs: elemAt xs (length xs - 1);
    toInt = s: b.fromJSON s;
    toLower = replaceStrings upper lower;
    upper = map (i: substring i 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (range 0 25);
    lower = map (i: substring i 1 "abcdefghijklmnopqrstuvwxyz") (range 0 25);
    removePrefix = p: s: if hasPrefix p s then substring (stringLength p) (-1) s else s;
    escapeRegex =
      replaceStrings
        (map (c: c) [
          "\\"
          "["
          "{"
          "("
          ")"
          "^"
          "$"
          "?"
          "*"
          "+"
          "|"
          "."
        ])
        [
          "\\\\"
          "\\["
          "\\{"
          "\\("
          "\\)"
          "\\^"
          "\\$"
          "\\?"
          "\\*"
          "\\+"
          "\\|"
          "\\."
        ];
    escapeShellArg =
      v:
      let
        s = toString v;
      in
      if match "[[:alnum:],._+:@%/-]+" s != null then s else "'${replaceStrings [ "'" ] [ "'\\''" ] s}'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    getExe' = p: n: "${p}/bin/${n}";
    getExe = p: getExe' p (p.meta.mainProgram or (throw "getExe: no meta.mainProgram"));
    makeBinPath = concatMapStringsSep ":" (p: "${p}/bin");
    isStorePath = x: match "${b.storeDir}/[0-9a-df-np-sv-z]{32}-.*" (toString x) != null;
    isDerivation = v: isAttrs v && v.type or null == "derivation";
    id = x: x;
    cleanSource = s: s;
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };
    literalMD = text: {
      _type = "literalMD";
      inherit text;
    };
  };

  # ---- properties --------------------------------------------------------------
  p = rec {
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkOptionDefault = mkOverride 1500;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkOrder = priority: content: {
      _type = "order";
      inherit priority content;
    };
    mkBefore = mkOrder 500;
    mkAfter = mkOrder 1500;
    mkOption = o: o // { _type = "option"; };
    mkEnableOption =
      what:
      mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = "Whether to enable ${what}.";
      };
    mkPackageOption =
      pkgs: name:
      {
        default ? name,
        ...
      }:
      mkOption {
        type = types.package;
        default = pkgs.${default} or (throw "${name} cannot be found in pkgs");
        defaultText = l.literalExpression "pkgs.${default}";
        description = "The ${name} package to use.";
      };
  };

  # mkIf/mkMerge/mkOverride above an option travel down to it, the condition unevaluated.
  pushDown =
    v:
    if isA "merge" v then
      b.concatMap pushDown v.contents
    else if isA "if" v then
      map (b.mapAttrs (_: p.mkIf v.condition)) (pushDown v.content)
    else if isA "override" v then
      map (b.mapAttrs (_: p.mkOverride v.priority)) (pushDown v.content)
    else if b.isAttrs v then
      [ v ]
    else
      throw "expected a set of definitions, got ${b.typeOf v}";

  # [ { prio; order; value; } ] of one definition
  flat =
    prio: order: v:
    if isA "merge" v then
      b.concatMap (flat prio order) v.contents
    else if isA "if" v then
      (if v.condition then flat prio order v.content else [ ])
    else if isA "override" v then
      flat v.priority order v.content
    else if isA "order" v then
      flat prio v.priority v.content
    else
      [
        {
          inherit prio order;
          value = v;
        }
      ];

  mergeDefs =
    loc: type: raw:
    let
      ds = b.concatMap (flat 100 1000) raw;
      top = b.foldl' (m: d: if d.prio < m then d.prio else m) 9999 ds;
      kept = b.sort (x: y: x.order < y.order) (b.filter (d: d.prio == top) ds);
      vs = map (d: d.value) kept;
      bad = b.filter (v: !(type.check v)) vs;
    in
    {
      isDefined = kept != [ ];
      value =
        if kept == [ ] then
          (
            if type ? empty then
              type.empty
            else
              throw "The option `${showLoc loc}' was accessed but has no value defined. Try setting the option."
          )
        else if bad != [ ] then
          throw "A definition for option `${showLoc loc}' is not of type `${type.description}'."
        else
          type.merge loc vs;
    };

  evalOption =
    loc: opt: defs:
    let
      type = opt.type or types.unspecified;
      m = mergeDefs loc type (defs ++ l.optional (opt ? default) (p.mkOptionDefault opt.default));
      v = (opt.apply or (x: x)) m.value;
    in
    if opt.readOnly or false && b.length defs > 1 then
      throw "The option `${showLoc loc}' is read-only, but it's set multiple times."
    else
      v;

  # ---- modules -------------------------------------------------------------------
  load =
    args: m:
    let
      f = if b.isPath m || b.isString m then import m else m;
      fa = b.functionArgs f;
      v =
        if b.isFunction f then
          f (if fa == { } then args else b.mapAttrs (n: _: args.${n} or args.config._module.args.${n}) fa)
        else
          f;
      short = !(v ? config || v ? options);
      rest = b.removeAttrs v [
        "imports"
        "_file"
        "key"
        "meta"
        "freeformType"
      ];
    in
    [
      {
        options = v.options or { };
        config = if short then rest else v.config or { };
        freeform = v.freeformType or (if short then null else v.config._module.freeformType or null);
      }
    ]
    ++ b.concatMap (load args) (v.imports or [ ]);

  mergeOpts =
    loc: trees:
    b.mapAttrs (
      n: vs:
      let
        os = b.filter (isA "option") vs;
      in
      if os == [ ] then
        mergeOpts (loc ++ [ n ]) vs
      else if b.length os > 1 then
        throw "The option `${showLoc (loc ++ [ n ])}' is declared twice."
      else
        b.head os
    ) (zip trees);
  zip =
    sets:
    l.genAttrs (l.unique (b.concatMap b.attrNames sets)) (
      n: map (s: s.${n}) (b.filter (s: s ? ${n}) sets)
    );

  walk =
    loc: tree: freeform: defs:
    let
      sets = b.concatMap pushDown defs;
      z = zip sets;
      extra = b.removeAttrs z (b.attrNames tree);
      declared = b.mapAttrs (
        n: t:
        let
          d = z.${n} or [ ];
        in
        if isA "option" t then evalOption (loc ++ [ n ]) t d else walk (loc ++ [ n ]) t null d
      ) tree;
    in
    if extra == { } then
      declared
    else if freeform == null then
      throw "The option `${showLoc (loc ++ [ (b.head (b.attrNames extra)) ])}' does not exist."
    else
      freeform.merge loc (map (s: b.removeAttrs s (b.attrNames tree)) sets) // declared;

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      args = {
        inherit config lib;
        options = tree;
      }
      // specialArgs;
      ms = b.concatMap (load args) modules;
      argOpt = {
        _module.args = p.mkOption {
          type = types.lazyAttrsOf types.unspecified;
          default = { };
        };
      };
      tree = mergeOpts prefix ([ argOpt ] ++ map (m: m.options) ms);
      free = b.filter (f: f != null) (map (m: m.freeform) ms);
      config = walk prefix tree (if free == [ ] then null else b.head free) (
        map (m: b.removeAttrs m.config (l.optional (free != [ ]) "freeformType")) ms
      );
    in
    {
      inherit config;
      options = tree;
    };

  # ---- types -----------------------------------------------------------------------
  one =
    loc: vs:
    if b.all (v: v == b.head vs) vs then
      b.head vs
    else
      throw "The option `${showLoc loc}' has conflicting definition values.";
  mk = name: check: {
    inherit name check;
    description = name;
    merge = one;
  };
  pathLike =
    v:
    b.isPath v
    || l.isDerivation v
    || (b.isString v && b.substring 0 1 (b.unsafeDiscardStringContext v) == "/");
  types = rec {
    unspecified = mk "unspecified value" (_: true) // {
      merge =
        loc: vs:
        if b.length vs == 1 then
          b.head vs
        else if b.all b.isAttrs vs then
          b.foldl' (x: y: x // y) { } vs
        else if b.all b.isList vs then
          b.concatLists vs
        else
          one loc vs;
    };
    anything = mk "anything" (_: true) // {
      merge =
        loc: vs:
        if b.all (v: b.isAttrs v && !l.isDerivation v) vs then
          b.mapAttrs (n: x: (mergeDefs (loc ++ [ n ]) anything x).value) (zip (b.concatMap pushDown vs))
        else
          one loc vs;
    };
    raw = mk "raw value" (_: true);
    bool = mk "boolean" b.isBool;
    int = mk "signed integer" b.isInt;
    float = mk "floating point number" b.isFloat;
    str = mk "string" b.isString;
    path = mk "absolute path" pathLike;
    package = mk "package" (v: l.isDerivation v || pathLike v);
    externalPath = mk "absolute path not in the Nix store" (
      v: b.isString v && b.substring 0 1 v == "/" && !(l.isStorePath v)
    );
    singleLineStr = mk "(optionally newline-terminated) single-line string" (
      v: b.isString v && b.match "[^\n\r]*\n?" v != null
    );
    nonEmptyStr = mk "non-empty string" (v: b.isString v && b.match "[ \t\n]*" v == null);
    lines = mk "strings concatenated with \"\\n\"" b.isString // {
      merge = _: b.concatStringsSep "\n";
    };
    strMatching = re: mk "string matching the pattern ${re}" (v: b.isString v && b.match re v != null);
    enum = vs: mk "one of ${l.concatMapStringsSep ", " b.toJSON vs}" (v: b.elem v vs);
    addCheck = t: c: t // { check = v: t.check v && c v; };
    described = description: t: t // { inherit description; };
    number = either int float;
    numbers.positive = addCheck number (v: v > 0);
    numbers.nonnegative = addCheck number (v: v >= 0);
    ints = {
      positive = described "positive integer, meaning >0" (addCheck int (v: v > 0));
      unsigned = described "unsigned integer, meaning >=0" (addCheck int (v: v >= 0));
      between =
        lo: hi:
        described "integer between ${toString lo} and ${toString hi} (both inclusive)" (
          addCheck int (v: v >= lo && v <= hi)
        );
    };
    port = ints.between 0 65535;
    nullOr =
      t:
      t
      // {
        description = "null or ${t.description}";
        check = v: v == null || t.check v;
        merge =
          loc: vs:
          if b.all (v: v == null) vs then
            null
          else if b.any (v: v == null) vs then
            throw "The option `${showLoc loc}' is defined both null and not null."
          else
            t.merge loc vs;
      };
    either = x: y: {
      name = "either";
      description = "${x.description} or ${y.description}";
      check = v: x.check v || y.check v;
      merge =
        loc: vs:
        if b.all x.check vs then
          x.merge loc vs
        else if b.all y.check vs then
          y.merge loc vs
        else
          one loc vs;
    };
    oneOf = ts: b.foldl' either (b.head ts) (b.tail ts);
    coercedTo =
      from: f: to:
      to
      // {
        check = v: from.check v || to.check v;
        merge = loc: vs: to.merge loc (map (v: if from.check v then f v else v) vs);
      };
    listOf = t: {
      name = "listOf";
      description = "list of ${t.description}";
      check = b.isList;
      empty = [ ];
      merge =
        loc: vs:
        b.concatMap (
          xs:
          b.concatLists (
            l.imap1 (
              i: x:
              let
                m = mergeDefs (loc ++ [ (toString i) ]) t [ x ];
              in
              l.optional m.isDefined m.value
            ) xs
          )
        ) vs;
    };
    attrsOf = t: {
      name = "attrsOf";
      getSubOptions = t.getSubOptions or (_: { });
      description = "attribute set of ${t.description}";
      check = v: b.isAttrs v;
      empty = { };
      merge =
        loc: vs:
        b.mapAttrs (_: m: m.value) (
          l.filterAttrs (_: m: m.isDefined) (
            b.mapAttrs (n: ds: mergeDefs (loc ++ [ n ]) t ds) (zip (b.concatMap pushDown vs))
          )
        );
    };
    lazyAttrsOf =
      t:
      attrsOf t
      // {
        merge =
          loc: vs: b.mapAttrs (n: ds: (mergeDefs (loc ++ [ n ]) t ds).value) (zip (b.concatMap pushDown vs));
      };
    attrs = mk "attribute set" b.isAttrs // {
      merge = _: b.foldl' (x: y: x // y) { };
    };
    submodule = m: {
      name = "submodule";
      description = "submodule";
      check = v: b.isAttrs v || b.isFunction v || b.isPath v;
      empty = (evalModules { modules = l.flatten [ m ]; }).config;
      getSubOptions = _: (evalModules { modules = l.flatten [ m ]; }).options;
      merge =
        loc: vs:
        b.removeAttrs
          (evalModules {
            prefix = loc;
            modules = l.flatten [ m ] ++ map (v: if b.isAttrs v then { config = v; } else v) vs;
            specialArgs.name = if loc == [ ] then "" else l.elemAt loc (b.length loc - 1);
          }).config
          [ "_module" ];
    };
  };
  lib =
    l
    // p
    // {
      inherit types evalModules;
      version = "minilib";
      strings = l;
      attrsets = l;
      lists = l;
    };
in
lib
