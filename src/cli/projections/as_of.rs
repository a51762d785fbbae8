//! `sitelog projections as-of`.

use serde_json::json;

use crate::cli::print_line;
use crate::log::EventLog;
use crate::projections::as_of::{self, Point};
use crate::projections::fold::FoldOptions;
use crate::projections::registry::AnyProjection;
use crate::values::amount::counted;

/// Builds read models as they were, or removes what was built.
pub(super) async fn perform(
    log: &EventLog,
    projections: &[&'static dyn AnyProjection],
    point: Point,
    drop: bool,
    json: bool,
) -> anyhow::Result<bool> {
    let position = as_of::position(log.pool(), point).await?;
    let schema = as_of::schema_name(position);
    as_of::drop_schema(log.pool(), &schema).await?;
    if drop {
        print_line(&if json {
            json!({ "schema": schema, "dropped": true }).to_string()
        } else {
            format!("the schema {schema} was removed")
        })?;
        return Ok(true);
    }
    for projection in projections {
        let rows = projection
            .build_as_of(log, position, &schema, FoldOptions::default())
            .await?;
        let name = projection.name();
        print_line(&if json {
            json!({ "schema": schema, "table": name, "position": position, "rows": rows }).to_string()
        } else {
            format!(
                "{schema}.{name}: {} as of position {position}",
                counted(rows, "row")
            )
        })?;
    }
    Ok(true)
}
