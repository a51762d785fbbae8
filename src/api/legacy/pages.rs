//! The old pages, if the settings say where they are. They request `/api/…` from their own origin, so this server must
//! serve them.

use std::io;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, TokioBackend, TokioFile};

use crate::api::ApiState;

/// They hold inline scripts, load libraries from elsewhere, and one of them requests `localhost:8000`, where the
/// predecessor ran in development.
const POLICY: &str = "default-src 'self' 'unsafe-inline' https: data:; connect-src 'self' http://localhost:8000; \
                      frame-ancestors 'none'; base-uri 'none'";

pub(super) fn router(state: &ApiState) -> Router<ApiState> {
    let Some(dir) = &state.legacy.static_dir else {
        return Router::new();
    };
    let inside = Inside { dir: dir.clone() };
    let files = ServeDir::with_backend(dir, inside).redirect_path_prefix("/static");
    let pages = Router::new()
        .fallback_service(files)
        .layer(map_response(async |mut answer: Response| {
            let policy = HeaderValue::from_static(POLICY);
            answer
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
            answer
        }));
    Router::new()
        // Without the slash, browsers would resolve the relative URLs in its index against the root.
        .route("/static", get(async || Redirect::permanent("/static/")))
        .nest_service("/static/", pages)
}

/// Serves the files and folders inside a directory. Targets of links outside it do not exist.
#[derive(Clone, Debug)]
struct Inside {
    dir: PathBuf,
}

impl Inside {
    /// The target of a path. Only files and folders, because opening a pipe, for example, would wait for its writer.
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let dir = tokio::fs::canonicalize(&self.dir).await?;
        let target = tokio::fs::canonicalize(path).await?;
        let found = tokio::fs::metadata(&target).await?;
        if target.starts_with(dir) && (found.is_file() || found.is_dir()) {
            return Ok(target);
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

impl Backend for Inside {
    type File = TokioFile;
    type Metadata = std::fs::Metadata;
    type OpenFuture = BoxFuture<'static, io::Result<TokioFile>>;
    type MetadataFuture = BoxFuture<'static, io::Result<std::fs::Metadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let inside = self.clone();
        Box::pin(async move { TokioBackend.open(inside.resolve(&path).await?).await })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let inside = self.clone();
        Box::pin(async move { TokioBackend.metadata(inside.resolve(&path).await?).await })
    }
}
