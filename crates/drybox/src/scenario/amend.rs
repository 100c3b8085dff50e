//! Settings of the network changed one by one (`docs/spec/drybox-proxy.md`, 5.3).

use serde_json::{Map, Value, json};

use super::{
    notice::{Notices, ScenarioError},
    schema, typed,
};
use crate::bearer::BearerParams;

/// What messages call the place of a change.
const PLACE: &str = "settings";

/// No key of a scenario lies deeper.
const MAX_PARTS: usize = 8;

/// `network` with settings changed, each by its dotted path as in a scenario, such as
/// `network.impairments.corrupt_rate`; all of them or, where any is wrong, none.
///
/// # Errors
/// Every setting that does not fit the scenario's schema, by its path.
pub fn amend(
    network: &BearerParams,
    settings: &Map<String, Value>,
) -> Result<BearerParams, ScenarioError> {
    let mut notices = Notices::new(PLACE);
    let mut document = json!({ "mode": "byte", "network": network });
    for (key, value) in settings {
        if let Err(message) = put(&mut document, key, value) {
            notices.problem(None, key, message);
        }
    }
    notices.check()?;
    for violation in schema::violations(&document) {
        notices.problem(None, &violation.path.join("."), violation.message);
    }
    notices.check()?;
    Ok(typed::network(&document["network"]))
}

/// Sets one key, making the blocks above it that are off.
fn put(document: &mut Value, key: &str, value: &Value) -> Result<(), String> {
    let parts: Vec<&str> = key.split('.').collect();
    let (Some((&last, above)), Some(&"network")) = (parts.split_last(), parts.first()) else {
        return Err(
            "only the network changes while the proxy runs; use network.loss_rate and its like"
                .to_owned(),
        );
    };
    if above.is_empty() {
        return Err("name a setting below it, such as network.loss_rate".to_owned());
    }
    if parts.len() > MAX_PARTS {
        return Err("there is no such key".to_owned());
    }
    if value.is_array() && last != "partitions" {
        return Err("a list would be a sweep; give one value".to_owned());
    }
    let mut block = document;
    for part in above {
        let Value::Object(keys) = block else {
            return Err(format!("{part} is not in a block of keys"));
        };
        block = keys.entry(*part).or_insert(Value::Null);
        if block.is_null() {
            *block = Value::Object(Map::new());
        }
    }
    match block {
        Value::Object(keys) => {
            keys.insert(last.to_owned(), value.clone());
            Ok(())
        }
        _ => Err(format!("{last} is not in a block of keys")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bearer::{BearerKind, GilbertElliottParams, RateLimit};

    fn changed(settings: Value) -> Result<BearerParams, String> {
        let Value::Object(settings) = settings else {
            panic!("not an object");
        };
        let network = BearerParams::defaults(BearerKind::OttUdp);
        amend(&network, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_change_and_all_others_stay() {
        let before = BearerParams::defaults(BearerKind::OttUdp);
        assert_eq!(changed(json!({})), Ok(before.clone()));
        let after = changed(json!({
            "network.loss_rate": 0.25,
            "network.bearer": "cs_gsm",
            "network.impairments.rate_limit": {"rate_bps": 64000, "queue_bytes": 3000},
            "network.impairments.gilbert_elliott.p_good_bad": 0.1,
            "network.impairments.gilbert_elliott.p_bad_good": 0.2,
            "network.impairments.gilbert_elliott.loss_bad": 1,
        }));
        let mut expected = before;
        expected.loss_rate = 0.25;
        expected.bearer = BearerKind::CsGsm;
        expected.impairments.rate_limit = Some(RateLimit {
            rate_bps: 64_000.0,
            queue_bytes: 3000,
        });
        expected.impairments.gilbert_elliott = Some(GilbertElliottParams {
            p_good_bad: 0.1,
            p_bad_good: 0.2,
            loss_good: 0.0,
            loss_bad: 1.0,
        });
        assert_eq!(after, Ok(expected));
    }

    #[test]
    fn a_block_is_turned_off_by_null() {
        let mut network = BearerParams::defaults(BearerKind::OttUdp);
        network.impairments.rate_limit = Some(RateLimit {
            rate_bps: 1.0,
            queue_bytes: 1,
        });
        let Value::Object(off) = json!({"network.impairments.rate_limit": null}) else {
            panic!("not an object");
        };
        let after = amend(&network, &off).unwrap();
        assert_eq!(after.impairments.rate_limit, None);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_with_what_to_do() {
        for (settings, message) in [
            (json!({"network.loss": 0.1}), "network.loss"),
            (json!({"network.loss_rate": 2}), "from 0 to 1"),
            (json!({"network.loss_rate": [0, 0.1]}), "give one value"),
            (json!({"network.loss_rate.x": 1}), "not in a block"),
            (
                json!({"network.impairments.rate_limit.rate_bps": 1}),
                "queue_bytes",
            ),
            (json!({"network": {}}), "below it"),
            (json!({"seed": 3}), "only the network"),
            (json!({"": 3}), "only the network"),
            (json!({"network.a.b.c.d.e.f.g.h": 3}), "no such key"),
            (json!({"network.": 3}), "network."),
        ] {
            let error = changed(settings.clone()).expect_err(message);
            assert!(error.starts_with("settings: "), "{error}");
            assert!(error.contains(message), "{settings}: {error}");
        }
    }
}
