//! The effective options as JSON, for administrators: what was set, and the defaults of the rest. Secrets
//! are left out.

use serde_json::{Map, Value as Json, json};

use super::option_type::OptionType;
use super::table::{self, Scope, Spec};
use super::value::Value;

/// In the place of a secret that is set.
const HIDDEN: &str = "(set, not shown)";

/// What was set on a port.
#[derive(Debug)]
pub struct ShownPort {
    /// Where it is.
    pub place: String,
    /// By their keys.
    pub set: Vec<(String, Value)>,
}

/// The options of a server and of its ports. `set` are those of the server; what of them is a port's holds for
/// all ports that do not say otherwise.
pub fn json(set: &[(String, Value)], ports: &[ShownPort]) -> String {
    let ports: Vec<_> = ports
        .iter()
        .map(|port| {
            let inherited = |spec: &Spec| found(spec, &port.set).or_else(|| found(spec, set));
            json!({ "listen": port.place, "options": options(Scope::Port, inherited) })
        })
        .collect();
    let server = options(Scope::Server, |spec| found(spec, set));
    let text = json!({ "options": server, "ports": ports });
    format!("{text}\n")
}

fn options<'a>(scope: Scope, find: impl Fn(&Spec) -> Option<&'a Value>) -> Json {
    let present = |spec: &&Spec| !matches!(spec.kind, OptionType::Absent(_)) && spec.scope == scope;
    let options = table::all().filter(present).map(|spec| {
        let shown = match find(spec) {
            Some(value) => json!({ "value": shown(spec, value) }),
            None => json!({ "default": spec.default }),
        };
        (spec.name.to_owned(), shown)
    });
    options.collect::<Map<_, _>>().into()
}

fn found<'a>(spec: &Spec, set: &'a [(String, Value)]) -> Option<&'a Value> {
    set.iter().rev().find(|(key, _)| spec.is_called(key)).map(|(_, value)| value)
}

fn shown(spec: &Spec, value: &Value) -> Json {
    match value {
        value if spec.secret && !value.is_off() => HIDDEN.into(),
        // Settings of PHP's hold passwords of databases and session stores.
        Value::Array(settings) if matches!(spec.kind, OptionType::Ini(_)) => settings
            .iter()
            .map(|(name, _)| (name.clone(), Json::from(HIDDEN)))
            .collect::<Map<_, _>>()
            .into(),
        value => plain(value),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(on) => (*on).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Other(kind) => (*kind).into(),
        Value::Array(entries) if entries.iter().all(|(key, _)| key.parse::<u64>().is_ok()) => {
            entries.iter().map(|(_, value)| plain(value)).collect()
        }
        Value::Array(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_shown_but_no_secret() {
        let text = |text: &str| Value::Text(text.to_owned());
        let ini =
            Value::Array(vec![("session.save_path".to_owned(), text("tcp://x?auth=hunter2"))]);
        let set = [
            ("max_conn".to_owned(), Value::Int(5)),
            ("admin_token".to_owned(), text("hunter2hunter2hunter2")),
            ("ssl_passphrase".to_owned(), text("hunter2")),
            ("php_ini".to_owned(), ini),
        ];
        let own = vec![("keepalive_timeout".to_owned(), Value::Float(1.5))];
        let ports = [ShownPort { place: "127.0.0.1:1".to_owned(), set: own }];
        let json = json(&set, &ports);
        assert!(!json.contains("hunter2"), "{json}");
        let shown: Json = serde_json::from_str(&json).expect("JSON");
        assert_eq!(shown["options"]["max_connection"], json!({ "value": 5 }));
        assert_eq!(shown["options"]["max_request"]["default"], "0 (never)");
        assert_eq!(shown["options"]["php_ini"]["value"]["session.save_path"], HIDDEN);
        let port = &shown["ports"][0];
        assert_eq!(port["options"]["keepalive_timeout"]["value"], 1.5);
        assert_eq!(port["options"]["ssl_passphrase"]["value"], HIDDEN);
        assert_eq!(port["listen"], "127.0.0.1:1");
    }
}
