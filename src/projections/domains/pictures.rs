//! Reads the pictures of domains. The row names the body. Bodies that are not a picture of the domain cannot be read
//! this way.

use crate::log::LogError;
use crate::log::body::unpack;
use crate::projections::{ProjectionError, ReadModels};
use crate::values::picture::{PictureKind, PictureType};
use crate::values::{DomainName, TenantId};

/// A picture as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPicture {
    /// Its format.
    pub media_type: PictureType,
    /// The digest of its body, which changes with the content.
    pub digest: String,
    /// The file.
    pub content: Vec<u8>,
}

/// A picture of a tenant's domain; `None` if no scan read one, or if it was erased.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
    kind: PictureKind,
) -> Result<Option<StoredPicture>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select p.picture ->> 'media_type', p.picture #>> '{{body,digest}}', b.bytes \
           from (select tenant_id, meta_json::jsonb -> $3 as picture from {}.domains \
                  where tenant_id = $1 and domain = $2) p \
          cross join lateral (select b.bytes from event_body b where b.tenant_id = p.tenant_id \
                                 and b.digest = decode(p.picture #>> '{{body,digest}}', 'hex') offset 0) b",
        models.domains
    );
    let found: Option<(String, String, Vec<u8>)> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .bind(kind.as_str())
        .fetch_optional(&mut *reading)
        .await?;
    let Some((media_type, digest, bytes)) = found else {
        return Ok(None);
    };
    let media_type = if media_type == PictureType::Svg.as_str() {
        PictureType::Svg
    } else {
        PictureType::Png
    };
    let content = unpack(bytes).map_err(|error| LogError::UnreadableBody {
        digest: digest.clone(),
        subject: domain.as_str().to_owned(),
        bytes: 0,
        error: error.to_string(),
    })?;
    Ok(Some(StoredPicture {
        media_type,
        digest,
        content,
    }))
}
