//! What systemd makes of a command line: systemd.service(5) "Command lines", systemd.syntax(7) "Quoting", systemd.unit(5) "Specifiers".
//!
//! Written from the manual pages and strict on purpose: what systemd would expand, or warn of, fails the test.

use std::collections::BTreeMap;

/// The values of `key` in the text of a unit file; none of our lines is continued on the next.
pub(crate) fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.inspect(|line| assert!(!line.ends_with('\\'), "continued: {line}")).collect()
}

/// The words that the program is started with.
pub(crate) fn command_line(value: &str) -> Vec<String> {
    split(value).iter().map(|word| expand(word)).collect()
}

fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        if chars.peek().is_none() {
            return words;
        }
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(c) = chars.next() {
            match (c, quote) {
                ('\\', _) => unescape(&mut chars, &mut word),
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, None) if c.is_ascii_whitespace() => break,
                (c, _) => word.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        assert_eq!(quote, None, "a quote is left open: {line}");
        let word = String::from_utf8(word).unwrap();
        assert_ne!(word, ";", "two commands: {line}");
        words.push(word);
    }
}

fn unescape(chars: &mut impl Iterator<Item = char>, word: &mut Vec<u8>) {
    let byte = match chars.next().unwrap() {
        'a' => 7,
        'b' => 8,
        't' => b'\t',
        'n' => b'\n',
        'v' => 11,
        'f' => 12,
        'r' => b'\r',
        's' => b' ',
        same @ ('\\' | '"' | '\'') => u8::try_from(same).unwrap(),
        'x' => {
            let digits: String = chars.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).unwrap()
        }
        'u' => {
            let digits: String = chars.by_ref().take(4).collect();
            let c = char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap();
            return word.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
        other => panic!("systemd knows no \\{other}"),
    };
    word.push(byte);
}

/// `%%` and `$$`; any other use of the two would be replaced by something.
fn expand(word: &str) -> String {
    let (mut expanded, mut chars) = (String::new(), word.chars());
    while let Some(c) = chars.next() {
        if c == '%' || c == '$' {
            assert_eq!(chars.next(), Some(c), "systemd would expand {word:?}");
        }
        expanded.push(c);
    }
    expanded
}

/// The variables that `podman run` or `docker run` is told, and the words that are no option.
pub(crate) fn environment(words: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("--env") {
            Some("") => words.next().unwrap(),
            Some(rest) => rest.strip_prefix('=').unwrap(),
            None => continue,
        };
        let (name, value) = assignment.split_once('=').unwrap();
        assert!(found.insert(name.to_owned(), value.to_owned()).is_none(), "{name} is given twice");
    }
    found
}

#[test]
fn words_are_read_as_the_manual_pages_say() {
    assert_eq!(
        command_line(r#"/bin/echo "a b" 'c "d"' e\x20f "g$$h" %%i "" j\"k"#),
        ["/bin/echo", "a b", "c \"d\"", "e f", "g$h", "%i", "", "j\"k"]
    );
}
