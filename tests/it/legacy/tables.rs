//! The schema `legacy`: its content for readers of the predecessor's tables, and that it survives rebuilds and
//! releases.

use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::PgPool;

use super::old_data::{Both, SMALL};
use crate::support::app::wait_for;
use crate::support::postgres::make_role;

const VIEWS: [&str; 5] = ["domains", "jobs", "batch_jobs", "sitemap_files", "sitemap_urls"];
/// Has rights on the schema and on nothing else.
const READER: &str = "sitelog_test_legacy_reader";

/// Columns by name with their types, as production had them, without the schema of enums.
const PRODUCTION: [(&str, &str); 5] = [
    (
        "domains",
        "id uuid, tenant_id uuid, domain varchar, lead_source text, is_active boolean, status varchar, \
         local_business_scraped_status text, local_business_scraped_at timestamptz, \
         agency_sitemap_analysis_done text, agency_sitemap_analysis_done_at timestamptz, agency_wordpress_details text, \
         agency_wordpress_details_at timestamptz, agency_copyright_status text, agency_copyright_status_at timestamptz, \
         agency_ad_performance_status text, agency_ad_performance_at timestamptz, content_scrape_status task_status, \
         content_scrape_at timestamptz, content_scrape_error text, page_scrape_status task_status, \
         page_scrape_at timestamptz, page_scrape_error text, sitemap_monitor_status task_status, \
         sitemap_monitor_at timestamptz, sitemap_monitor_error text, has_ssl boolean, ssl_expiry_date timestamptz, \
         security_headers jsonb, ssl_issuer text, ssl_version text, server_type text, ip_address text, \
         hosting_provider text, country_code text, server_response_time int, dns_records jsonb, hosting_location text, \
         cdn_provider text, last_modified timestamptz, robots_txt text, has_sitemap boolean, page_count int, \
         content_language text[], feed_urls jsonb, average_page_size int, total_images_count int, crawler_hints jsonb, \
         business_category text, estimated_traffic jsonb, has_ecommerce boolean, primary_language text, \
         business_hours jsonb, payment_methods text[], business_type text, industry_vertical text, \
         competitor_group text, market_segment text, last_error text, error_count int, \
         last_successful_scan timestamptz, average_response_time int, uptime_percentage numeric(5,2), \
         error_history jsonb, performance_metrics jsonb, monitoring_status text, alert_threshold jsonb, \
         sitemap_url text, tech_stack jsonb, first_scan timestamptz, last_scan timestamptz, title text, \
         description text, favicon_url text, logo_url text, copyright_year text, language text, \
         has_cookie_notice boolean, has_privacy_policy boolean, google_analytics_id text, google_tag_manager_id text, \
         is_wordpress boolean, wordpress_version text, wordpress_theme text, has_elementor boolean, \
         elementor_version text, has_divi boolean, has_woocommerce boolean, has_contact_form7 boolean, \
         has_yoast_seo boolean, has_wpforms boolean, phone_numbers text[], email_addresses text[], \
         physical_addresses text[], facebook_url text, twitter_url text, linkedin_url text, instagram_url text, \
         youtube_url text, meta_json jsonb, created_at timestamp, updated_at timestamp, created_by uuid, \
         domain_metadata jsonb, notes text, batch_id varchar, sitemap_urls int, total_sitemaps int, \
         local_business_id uuid, sitemap_curation_status \"SitemapCurationStatusEnum\", \
         sitemap_analysis_status \"SitemapAnalysisStatusEnum\", sitemap_analysis_error text",
    ),
    (
        "jobs",
        "id int, job_id uuid, tenant_id varchar(255), status varchar(50), job_type varchar(50), created_at timestamp, \
         started_at timestamptz, completed_at timestamptz, progress float8, error varchar, result jsonb, metadata jsonb, \
         created_by uuid, domain_id uuid, result_data jsonb, job_metadata jsonb, updated_at timestamp, \
         tenant_id_uuid uuid, id_uuid uuid, batch_id varchar, batch_id_string varchar",
    ),
    (
        "batch_jobs",
        "id_uuid uuid, created_at timestamp, updated_at timestamp, tenant_id uuid, processor_type varchar, \
         status varchar, created_by uuid, total_domains int, completed_domains int, failed_domains int, \
         progress float8, batch_metadata jsonb, options jsonb, start_time timestamp, end_time timestamp, \
         processing_time float8, error varchar, id int, batch_id_string varchar, batch_id uuid, \
         batch_id_original varchar",
    ),
    (
        "sitemap_files",
        // `status` is the later enum, which every earlier word but two belongs to.
        "id uuid, tenant_id uuid, domain_id uuid, url text, sitemap_type text, discovery_method text, page_count int, \
         size_bytes int, response_time_ms int, status sitemap_file_status_enum, priority int, status_code int, \
         error_message text, last_modified timestamptz, is_gzipped boolean, has_lastmod boolean, has_priority boolean, \
         has_changefreq boolean, generator text, lead_source text, user_id uuid, user_name text, notes text, \
         tags text[], is_active boolean, process_after timestamptz, last_processed_at timestamptz, \
         created_at timestamptz, created_by uuid, updated_at timestamptz, updated_by uuid, job_id uuid, url_count int, \
         deep_scrape_curation_status \"SitemapCurationStatusEnum\", sitemap_import_error text, \
         sitemap_import_status sitemap_import_status_enum",
    ),
    (
        "sitemap_urls",
        "id uuid, tenant_id uuid, domain_id uuid, sitemap_id uuid, url text, loc_text text, page_type text, status sitemap_url_status_enum, \
         priority int, status_code int, error_message text, lastmod timestamptz, changefreq text, \
         priority_value numeric(3,2), image_count int, video_count int, news_count int, size_bytes int, \
         lead_source text, user_id uuid, user_name text, notes text, tags text[], is_active boolean, \
         process_after timestamptz, discovered_at timestamptz, last_checked_at timestamptz, created_at timestamptz, \
         created_by uuid, updated_at timestamptz, updated_by uuid",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_views_have_all_columns_of_production_with_their_types() {
    let both = Both::new(SMALL).await;
    both.import(&[]);
    for (view, columns) in PRODUCTION {
        // A table of these columns says what their types are called.
        let sql = format!(
            "set search_path = legacy; create temp table wanted_{view} ({columns}); reset search_path"
        );
        let mut connection = both.ours.pool.acquire().await.unwrap();
        sqlx::raw_sql(&sql).execute(&mut *connection).await.unwrap();
        let missing: Vec<String> = sqlx::query_scalar(&format!(
            "select w.attname || ' ' || format_type(w.atttypid, w.atttypmod) from pg_attribute w \
              where w.attrelid = 'wanted_{view}'::regclass and w.attnum > 0 and not exists (\
                select from pg_attribute v where v.attrelid = 'legacy.{view}'::regclass and v.attname = w.attname \
                   and v.atttypid = w.atttypid and v.atttypmod = w.atttypmod)"
        ))
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        assert_eq!(missing, Vec::<String>::new(), "{view}");
    }
}

/// The rows that a role with rights only on the schema `legacy` sees.
async fn seen(pool: &PgPool) -> Vec<i64> {
    let mut seen = Vec::new();
    for view in VIEWS {
        let mut reading = pool
            .begin_with(format!("begin; set local role {READER}"))
            .await
            .unwrap();
        let sql = format!("select count(*) from legacy.{view}");
        let count = sqlx::query_scalar(&sql);
        seen.push(count.fetch_one(&mut *reading).await.unwrap());
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_rights_on_nothing_else_sees_all_rows_before_and_after_read_models_are_built_anew() {
    let both = Both::new(SMALL).await;
    both.import(&[]);
    let pool = &both.ours.pool;
    make_role(pool, READER).await;
    let grants = format!(
        "grant usage on schema legacy to {READER}; grant select on all tables in schema legacy to {READER}"
    );
    sqlx::raw_sql(&grants).execute(pool).await.unwrap();
    let before = seen(pool).await;
    assert!(before.iter().all(|rows| *rows > 0), "{before:?}");
    for arguments in [
        &["projections", "rebuild"][..],
        &["projections", "rollback", "jobs"],
        &["projections", "rebuild", "jobs"],
        &["projections", "rebuild", "jobs"],
    ] {
        let output = both.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(seen(pool).await, before, "after {arguments:?}");
    }
    // Nothing beyond them is open.
    for table in ["public.domains", "all_tenants.domains_s1", "legacy_row", "events"] {
        let mut reading = pool
            .begin_with(format!("begin; set local role {READER}"))
            .await
            .unwrap();
        let refused = sqlx::query(&format!("select * from {table}"))
            .fetch_optional(&mut *reading)
            .await;
        assert!(refused.is_err(), "{table} is open");
    }
    // Views of another release are replaced.
    sqlx::raw_sql("drop view legacy.jobs; create view legacy.jobs as select 1 as one")
        .execute(pool)
        .await
        .unwrap();
    let (code, _) = both.compare();
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_had_filled_in_outlasts_a_scan_here_and_nothing_outlasts_forgetting() {
    let both = Both::new(SMALL).await;
    both.import(&[]);
    let row = async |domain: &str| -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        sqlx::query_as(
            "select status::text, title, notes, sitemap_curation_status::text from legacy.domains where domain = $1",
        )
        .bind(domain)
        .fetch_one(&both.ours.pool)
        .await
        .unwrap()
    };
    // 120 was never scanned there but by a job, and somebody had written about it; 36 was, and selected.
    let called = Some("called them".to_owned());
    let by_job = Some("Job 119".to_owned());
    assert_eq!(
        row("site120.example.com").await,
        (
            Some("active".into()),
            by_job.clone(),
            called.clone(),
            Some("New".into())
        )
    );
    let (status, title, _, curation) = row("site36.example.com").await;
    assert_eq!(
        (status.as_deref(), curation.as_deref()),
        (Some("completed"), Some("Selected"))
    );
    assert!(title.is_some());
    let mut scan = both.command(&["scan", "--json", "site36.example.com", "site120.example.com"]);
    scan.env("SITELOG_FETCH__CONNECT_TO", "*.example.com=127.0.0.1:1");
    let output = scan.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The command waits for its scans, and this read model may follow later than that of scans.
    for domain in ["site36.example.com", "site120.example.com"] {
        wait_for("the domain to follow its scan", async || {
            (row(domain).await.0.as_deref() == Some("error")).then_some(())
        })
        .await;
    }
    assert_eq!(
        row("site36.example.com").await,
        (Some("error".into()), title, None, Some("Selected".into()))
    );
    assert_eq!(
        row("site120.example.com").await,
        (Some("error".into()), by_job, called, Some("New".into()))
    );
    let (code, comparison) = both.compare();
    assert_eq!(code, Some(0), "{}", comparison["unexplained"]);
    assert!(comparison["tables"]["domains"]["reasons"]["scanned_since"].as_i64() > Some(0));

    for domain in ["site36.example.com", "site120.example.com"] {
        let output = both.run(&["forget", domain, "--yes"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let kept = "select count(*) from legacy_row where content is not null \
                and domain in ('site36.example.com', 'site120.example.com')";
    assert_eq!(both.count(kept).await, 0);
    let (code, comparison) = both.compare();
    assert_eq!(code, Some(0), "{}", comparison["unexplained"]);
    assert_eq!(row("site120.example.com").await.2, None);
    assert_eq!(row("site36.example.com").await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_made_anew_keeps_the_rights_of_its_readers() {
    let both = Both::new(SMALL).await;
    both.import(&[]);
    let pool = &both.ours.pool;
    make_role(pool, READER).await;
    // As an earlier release made it: with another type.
    let earlier = format!(
        "drop view legacy.sitemap_urls; create view legacy.sitemap_urls as select 'new'::text as status; \
         grant usage on schema legacy to {READER}; grant select on all tables in schema legacy to {READER}"
    );
    sqlx::raw_sql(&earlier).execute(pool).await.unwrap();
    assert_eq!(both.compare().0, Some(0));
    assert!(seen(pool).await.iter().all(|rows| *rows > 0));
}

/// Reads the views through `SQLAlchemy` models as the predecessor's readers do; passed over, loudly, where there is no
/// Python with `SQLAlchemy` and a driver to be had.
#[tokio::test(flavor = "multi_thread")]
async fn sqlalchemy_models_read_what_is_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = root.join("target/legacy-readers");
    let python = venv.join("bin/python");
    if !python.exists() && !make_venv(&venv) {
        eprintln!("SKIPPED: SQLAlchemy cannot be installed here; the views are not read through it");
        return;
    }
    let both = Both::new(SMALL).await;
    both.import(&[]);
    let url = both.ours.url.clone();
    let script = root.join("tests/it/legacy/data/readers.py");
    let output = Command::new(python).arg(script).arg(url).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn make_venv(venv: &Path) -> bool {
    let works = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    works(Command::new("python3").args(["-m", "venv"]).arg(venv))
        && works(Command::new(venv.join("bin/python")).args([
            "-m",
            "pip",
            "install",
            "-q",
            "sqlalchemy>=2,<3",
            "psycopg[binary]>=3,<4",
        ]))
}
