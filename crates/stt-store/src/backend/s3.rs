//! S3 and its kin.

use core::fmt;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::prefix::PrefixStore;

use super::Backend;
use crate::StoreError;

/// A bucket, and how it is reached.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct S3Options {
    /// The bucket; it has to exist.
    pub bucket: String,
    /// Folder in the bucket; empty for the bucket itself.
    pub prefix: String,
    /// Region; empty for `us-east-1`.
    pub region: String,
    /// URL of a service other than Amazon's; empty for Amazon's.
    pub endpoint: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// Session token of temporary keys; empty for lasting ones.
    pub session_token: String,
    /// Whether an endpoint without TLS is accepted. What is stored is sealed either way; the
    /// requests are then open to whoever is on the way.
    pub allow_http: bool,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bucket,
            prefix,
            region,
            endpoint,
            access_key_id,
            secret_access_key: _,
            session_token: _,
            allow_http,
        } = self;
        f.debug_struct("S3Options")
            .field("bucket", bucket)
            .field("prefix", prefix)
            .field("region", region)
            .field("endpoint", endpoint)
            .field("access_key_id", access_key_id)
            .field("allow_http", allow_http)
            .finish_non_exhaustive()
    }
}

impl Backend {
    /// A bucket of S3, or of a service that speaks the same and knows `If-None-Match: *`.
    ///
    /// # Errors
    ///
    /// The options don't make sense. Nothing is asked of the service yet.
    pub fn s3(options: &S3Options) -> Result<Self, StoreError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_access_key_id(&options.access_key_id)
            .with_secret_access_key(&options.secret_access_key)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_allow_http(options.allow_http)
            .with_region(or(&options.region, "us-east-1"));
        if !options.endpoint.is_empty() {
            builder = builder.with_endpoint(&options.endpoint);
        }
        if !options.session_token.is_empty() {
            builder = builder.with_token(&options.session_token);
        }
        let place = format!("s3://{}", options.bucket);
        let store = builder
            .build()
            .map_err(|source| StoreError::backend("opening", &place, source))?;
        if options.prefix.is_empty() {
            return Ok(Self::new(Arc::new(store)));
        }
        let prefix = options.prefix.as_str();
        Ok(Self::new(Arc::new(PrefixStore::new(store, prefix))))
    }
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}
