//! Requests as parts of traces (W3C Trace Context), in every version of HTTP.

use reactor::config::{IdTrust, TraceSettings};
use reactor::record::Record;
use wire::Version;
use wire::hex::Hex;

use super::common::client::Request;
use super::recorded::{Recorded, VERSIONS};
use super::secure::Secure;
use super::{Wire, text};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A request as its handler sees it, and as its record has it.
struct Traced {
    /// Lines of `traceparent` and of `tracestate`.
    parents: Vec<String>,
    states: Vec<String>,
    record: Record,
}

impl Traced {
    /// Trace, span and flags, of the one line that there is to be.
    fn parent(&self) -> [&str; 3] {
        let [line] = &self.parents[..] else { panic!("{:?}", self.parents) };
        let parts: Vec<_> = line.split('-').collect();
        let ["00", trace, span, flags] = parts[..] else { panic!("{line}") };
        let digits = |text: &str| text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        assert!(digits(trace) && digits(span) && (trace.len(), span.len()) == (32, 16), "{line}");
        let context = self.record.trace.as_ref().expect("a trace");
        assert_eq!(
            (trace, span),
            (&Hex(&context.trace_id).to_string()[..], &Hex(&context.span_id).to_string()[..])
        );
        assert_eq!(flags, if context.sampled { "01" } else { "00" });
        [trace, span, flags]
    }
}

struct Server(Recorded);

impl Server {
    fn start(version: Version, settings: TraceSettings) -> Self {
        Self(Recorded::start(version, |config| config.traces = Some(settings)))
    }

    fn ask(&mut self, lines: &[(&'static str, &str)]) -> Traced {
        let request = lines
            .iter()
            .fold(Request::new("GET", "/").field("x-before", "1"), |request, (name, value)| {
                request.field(name, value)
            })
            .field("x-behind", "2");
        let (mut parents, mut states) = (Vec::new(), Vec::new());
        let reply = self.0.wire.exchange(&request, &mut |seen| {
            let all = |name: &[u8]| {
                let values = seen.head.fields.iter().filter(|(of, _)| *of == name);
                values.map(|(_, value)| String::from_utf8(value.to_vec()).unwrap()).collect()
            };
            (parents, states) = (all(b"traceparent"), all(b"tracestate"));
            assert_eq!((all(b"x-before"), all(b"x-behind")), (vec!["1".into()], vec!["2".into()]));
            text("hello")
        });
        assert_eq!((reply.status, &reply.body[..]), (200, &b"hello"[..]));
        Traced { parents, states, record: self.0.records.next() }
    }
}

#[test]
fn a_trace_goes_on_with_a_span_of_the_server() {
    for version in VERSIONS {
        let mut server = Server::start(version, TraceSettings::default());
        for flags in ["01", "00", "03"] {
            let parent = format!("00-{TRACE}-{SPAN}-{flags}");
            let state = [("tracestate", "a=1,b=2"), ("tracestate", "c=3")];
            let lines = [&[("traceparent", &parent[..])], &state[..]].concat();
            let traced = server.ask(&lines);
            let [trace, span, passed] = traced.parent();
            assert_eq!(trace, TRACE, "{version:?}");
            assert_ne!(span, SPAN, "{version:?}");
            assert_eq!(passed, if flags == "00" { "00" } else { "01" }, "{version:?} {flags}");
            assert_eq!(traced.states, ["a=1,b=2", "c=3"], "{version:?}");
            let context = traced.record.trace.as_ref().unwrap();
            assert_eq!(context.parent.map(|id| Hex(&id).to_string()), Some(SPAN.to_owned()));
            assert_eq!(context.state.as_deref(), Some(&b"a=1,b=2,c=3"[..]));
        }
        // A version to come.
        let traced = server.ask(&[("traceparent", &format!("cc-{TRACE}-{SPAN}-01-more"))]);
        assert_eq!(traced.parent()[0], TRACE, "{version:?}");
    }
}

#[test]
fn what_is_no_parent_begins_a_new_trace() {
    for version in VERSIONS {
        let mut server = Server::start(version, TraceSettings::default());
        let good = format!("00-{TRACE}-{SPAN}-00");
        let zeros = format!("00-{}-{SPAN}-00", "0".repeat(32));
        let upper = format!("00-{}-{SPAN}-00", TRACE.to_uppercase());
        let cases: [&[(&'static str, &str)]; 6] = [
            &[],
            &[("tracestate", "a=1")],
            &[("traceparent", ""), ("tracestate", "a=1")],
            &[("traceparent", &zeros), ("tracestate", "a=1")],
            &[("traceparent", &upper), ("tracestate", "a=1")],
            &[("traceparent", &good), ("traceparent", &good), ("tracestate", "a=1")],
        ];
        let mut seen = vec![TRACE.to_owned()];
        for lines in cases {
            let traced = server.ask(lines);
            let [trace, _, flags] = traced.parent();
            assert!(!seen.contains(&trace.to_owned()), "{version:?} {lines:?}");
            seen.push(trace.to_owned());
            assert_eq!(flags, "01", "new traces are sampled");
            assert!(traced.states.is_empty(), "{version:?} {lines:?}");
            assert_eq!(traced.record.trace.unwrap().parent, None);
        }
    }
}

#[test]
fn only_those_traces_go_on_whose_senders_are_believed() {
    for version in VERSIONS {
        for trust in [IdTrust::Proxies, IdTrust::Nobody] {
            let settings = TraceSettings { trust, ratio: 0.0, ..TraceSettings::default() };
            let mut server = Server::start(version, settings);
            let parent = format!("00-{TRACE}-{SPAN}-01");
            let traced = server.ask(&[("traceparent", &parent), ("tracestate", "a=1")]);
            let [trace, _, flags] = traced.parent();
            assert_ne!(trace, TRACE, "{version:?}");
            assert_eq!((flags, traced.states.len()), ("00", 0), "{version:?}");
        }
    }
}

/// Without the setting the fields are the client's.
#[test]
fn without_traces_fields_stay_as_they_are() {
    for version in VERSIONS {
        let mut wire = Secure::with(version, |_| {});
        let request = Request::new("GET", "/").field("traceparent", "x").field("tracestate", "a=1");
        wire.exchange(&request, &mut |seen| {
            assert_eq!(seen.head.fields.get(b"traceparent"), Some(&b"x"[..]), "{version:?}");
            assert_eq!(seen.head.fields.get(b"tracestate"), Some(&b"a=1"[..]), "{version:?}");
            text("")
        });
    }
}
