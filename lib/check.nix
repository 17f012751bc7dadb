# Checks of what people write, in plain Nix: with nixpkgs or without, from Nix 2.8 on.
#
# An option is `{ type, doc, example }`, with `default` (what it is where it is not given, as text)
# or `required = true`.  A type says in words what it wants (`is`) and finds what is wrong with a
# value: `problem at value` is null or `{ at, value, is }`, where `at` names the place.  A problem
# becomes a message that names the option, the wrong value, and what to write.
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
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
    match
    storeDir
    stringLength
    substring
    toJSON
    typeOf
    ;

  # The first that is not null.
  first = foldl' (found: next: if found != null then found else next) null;

  # A value in one line, short, and without evaluating what is in a set or list.
  show =
    value:
    let
      text = toJSON (builtins.unsafeDiscardStringContext value);
    in
    if isString value then
      if stringLength text > 80 then substring 0 76 text + "…\"" else text
    else if isInt value || isFloat value || isBool value || value == null then
      toJSON value
    else if isFunction value then
      "a function"
    else if isList value then
      if value == [ ] then "an empty list" else "a list"
    else if isAttrs value then
      if value ? outPath then "a package" else "a set"
    else
      "a ${typeOf value}";

  simple = is: test: {
    inherit is;
    problem = at: value: if test value then null else { inherit at value is; };
  };
in
rec {
  inherit first show simple;

  # Types.

  bool = simple "true or false" isBool;

  # `pattern` is one of builtins.match, for the whole string.
  string = is: pattern: simple is (value: isString value && match pattern value != null);

  integer = low: simple "a whole number from ${toString low} on" (value: isInt value && value >= low);

  function = simple "a function" isFunction;

  # What has a path in the store: a package, a flake input, or the path itself.
  package = simple "a package or a store path" (
    value:
    (isAttrs value && value ? outPath)
    || isPath value
    || (isString value && match "${storeDir}/[0-9a-z]{32}-[^\n]+" value != null)
  );

  set = is: simple is isAttrs;

  enum =
    values: simple "one of ${concatStringsSep ", " (map toJSON values)}" (value: elem value values);

  nullOr = type: {
    is = "${type.is}, or null";
    problem = at: value: if value == null then null else type.problem at value;
  };

  either = a: b: {
    is = "${a.is}, or ${b.is}";
    problem =
      at: value:
      if a.problem at value == null || b.problem at value == null then
        null
      else
        {
          inherit at value;
          is = "${a.is}, or ${b.is}";
        };
  };

  listOf = is: type: {
    is = "a list of ${is}";
    problem =
      at: value:
      if !isList value then
        {
          inherit at value;
          is = "a list of ${is}";
        }
      else
        first (genList (i: type.problem "${at}[${toString i}]" (elemAt value i)) (length value));
  };

  # Messages.

  # "'WHERE' is VALUE, which is not WHAT: write …"
  message =
    who: example: problem:
    "${who}: '${problem.at}' is ${show problem.value}, which is not ${problem.is}; write for example: ${example}";

  # What is wrong with `given`, a set of options named below `prefix`, by the table `options`: null
  # or a message.
  problemOf =
    {
      who,
      prefix ? "",
      options,
      given,
      hints ? { },
    }:
    let
      named = name: "${prefix}${name}";
      unknown = filter (name: !(hasAttr name options)) (attrNames given);
      missing = filter (name: (options.${name}.required or false) && !(hasAttr name given)) (
        attrNames options
      );
      stray = head unknown;
      wrong = map (
        name:
        let
          problem = options.${name}.type.problem (named name) given.${name};
        in
        if problem == null then null else message who options.${name}.example problem
      ) (attrNames given);
    in
    if unknown != [ ] then
      "${who}: there is no option '${named stray}'; ${
        hints.${stray} or "the options ${
          if prefix == "" then "" else "of '${substring 0 (stringLength prefix - 1) prefix}' "
        }are: ${concatStringsSep ", " (attrNames options)}"
      }"
    else if missing != [ ] then
      "${who}: '${named (head missing)}' is missing; write for example: ${
        options.${head missing}.example
      }"
    else
      first wrong;
}
