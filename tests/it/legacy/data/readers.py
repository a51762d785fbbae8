"""Reads the schema `legacy` through models of the predecessor's tables, with its types and relationships."""

import sys
import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY, Boolean, DateTime, Enum, Float, ForeignKey, Integer, String, Text, create_engine, func, select,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, relationship

TASK_STATUS = Enum(
    "Queued", "InProgress", "Completed", "Error", "ManualReview", "Cancelled", "Paused", "Processing", "Complete",
    name="task_status", create_type=False,
)
CURATION = Enum("New", "Selected", "Maybe", "Not a Fit", "Archived", "Completed",
                name="SitemapCurationStatusEnum", create_type=False)
# Three enums have these words, and the models refuse any other.
STEPS = ("Pending", "Processing", "Completed", "Error")
FILE_STATUS = Enum(*STEPS, name="sitemap_file_status_enum", create_type=False)
URL_STATUS = Enum(*STEPS, name="sitemap_url_status_enum", create_type=False)
IMPORT_STATUS = Enum("Queued", "Processing", "Complete", "Error", name="sitemap_import_status_enum", create_type=False)


class Base(DeclarativeBase):
    pass


class Domain(Base):
    __tablename__ = "domains"
    id = mapped_column(UUID(as_uuid=True), primary_key=True)
    tenant_id = mapped_column(UUID(as_uuid=True), nullable=False)
    domain = mapped_column(String, nullable=False)
    status = mapped_column(String, nullable=False)
    created_by = mapped_column(UUID(as_uuid=True))
    title = mapped_column(String)
    description = mapped_column(Text)
    favicon_url = mapped_column(String)
    logo_url = mapped_column(String)
    language = mapped_column(String)
    is_wordpress = mapped_column(Boolean)
    wordpress_version = mapped_column(String)
    has_elementor = mapped_column(Boolean)
    tech_stack = mapped_column(JSONB)
    email_addresses = mapped_column(ARRAY(String))
    phone_numbers = mapped_column(ARRAY(String))
    facebook_url = mapped_column(String)
    twitter_url = mapped_column(String)
    linkedin_url = mapped_column(String)
    instagram_url = mapped_column(String)
    youtube_url = mapped_column(String)
    domain_metadata = mapped_column("meta_json", JSONB)
    notes = mapped_column(Text)
    first_scan = mapped_column(DateTime(timezone=True), nullable=False)
    last_scan = mapped_column(DateTime(timezone=True), nullable=False)
    content_scrape_status = mapped_column(TASK_STATUS)
    sitemap_urls = mapped_column(Integer)
    total_sitemaps = mapped_column(Integer)
    batch_id = mapped_column(String)
    local_business_id = mapped_column(UUID(as_uuid=True))
    sitemap_curation_status = mapped_column(CURATION)
    created_at = mapped_column(DateTime, nullable=False)
    updated_at = mapped_column(DateTime, nullable=False)
    jobs = relationship("Job", back_populates="domain", lazy="selectin")


class Job(Base):
    __tablename__ = "jobs"
    id = mapped_column(Integer, primary_key=True)
    job_id = mapped_column(UUID(as_uuid=True), nullable=False)
    tenant_id = mapped_column(String, nullable=False)
    tenant_id_uuid = mapped_column(UUID(as_uuid=True))
    job_type = mapped_column(String, nullable=False)
    status = mapped_column(String, nullable=False)
    domain_id = mapped_column(UUID(as_uuid=True), ForeignKey("domains.id"))
    batch_id = mapped_column(String)
    progress = mapped_column(Float)
    result_data = mapped_column(JSONB)
    job_metadata = mapped_column(JSONB)
    error = mapped_column(String)
    created_by = mapped_column(UUID(as_uuid=True))
    created_at = mapped_column(DateTime, nullable=False)
    updated_at = mapped_column(DateTime, nullable=False)
    domain = relationship("Domain", back_populates="jobs")


class BatchJob(Base):
    __tablename__ = "batch_jobs"
    id = mapped_column(Integer, primary_key=True)
    id_uuid = mapped_column(UUID(as_uuid=True), nullable=False)
    batch_id = mapped_column(UUID(as_uuid=True))
    tenant_id = mapped_column(UUID(as_uuid=True), nullable=False)
    processor_type = mapped_column(String, nullable=False)
    status = mapped_column(String, nullable=False)
    total_domains = mapped_column(Integer)
    completed_domains = mapped_column(Integer)
    failed_domains = mapped_column(Integer)
    progress = mapped_column(Float)
    batch_metadata = mapped_column(JSONB)
    options = mapped_column(JSONB)
    start_time = mapped_column(DateTime)
    end_time = mapped_column(DateTime)
    processing_time = mapped_column(Float)
    error = mapped_column(String)
    created_at = mapped_column(DateTime, nullable=False)
    updated_at = mapped_column(DateTime, nullable=False)


class SitemapFile(Base):
    __tablename__ = "sitemap_files"
    id = mapped_column(UUID(as_uuid=True), primary_key=True)
    tenant_id = mapped_column(UUID(as_uuid=True))
    domain_id = mapped_column(UUID(as_uuid=True), ForeignKey("domains.id"), nullable=False)
    url = mapped_column(Text, nullable=False)
    sitemap_type = mapped_column(Text, nullable=False)
    status = mapped_column(FILE_STATUS, nullable=False)
    sitemap_import_status = mapped_column(IMPORT_STATUS)
    status_code = mapped_column(Integer)
    url_count = mapped_column(Integer)
    created_at = mapped_column(DateTime(timezone=True))


class SitemapUrl(Base):
    __tablename__ = "sitemap_urls"
    id = mapped_column(UUID(as_uuid=True), primary_key=True)
    sitemap_id = mapped_column(UUID(as_uuid=True), ForeignKey("sitemap_files.id"), nullable=False)
    url = mapped_column(Text, nullable=False)
    status = mapped_column(URL_STATUS, nullable=False)
    lastmod = mapped_column(DateTime(timezone=True))
    changefreq = mapped_column(Text)


def main(url):
    target = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(target, connect_args={"options": "-csearch_path=legacy"})
    with Session(engine) as session:
        domains = session.scalars(select(Domain)).all()
        assert len(domains) > 500, len(domains)
        one = session.scalars(select(Domain).where(Domain.domain == "site13.example.com")).one()
        assert one.id == uuid.UUID("00000001-0000-4000-8000-00000000000d"), one.id
        assert one.title.startswith('Title "of" 13'), one.title
        assert one.status == "completed" and one.content_scrape_status == "Completed"
        assert one.email_addresses == ["info@site13.com"] and one.phone_numbers == ["(555) 123-4567"]
        assert one.domain_metadata["generation"] == "G1"
        assert one.last_scan.tzinfo is not None and one.created_at.tzinfo is None
        assert isinstance(one.created_at, datetime) and isinstance(one.is_wordpress, bool)
        assert one.tech_stack["cms"] == ["WordPress"]
        assert one.jobs and all(job.domain is one for job in one.jobs)
        selected = select(func.count()).select_from(Domain).where(
            Domain.content_scrape_status == "Completed", Domain.sitemap_curation_status == "New")
        assert session.scalar(selected) > 300
        jobs = session.scalars(select(Job).order_by(Job.id)).all()
        assert len({job.id for job in jobs}) == len(jobs) > 500
        job = jobs[0]
        assert (job.id, job.job_id) == (1, uuid.UUID("00000002-0000-4000-8000-000000000001"))
        assert job.result_data["site_data"]["title"] == "Job 1" and job.created_at == datetime(2025, 4, 10, 0, 1)
        batches = session.scalars(select(BatchJob).order_by(BatchJob.id)).all()
        assert len(batches) == 50 and batches[4].completed_domains == 40 and batches[4].status == "completed"
        assert batches[4].created_at == datetime(2025, 4, 1, 5)
        files = session.scalars(select(SitemapFile)).all()
        urls = session.scalars(select(SitemapUrl)).all()
        assert files and {file.domain_id for file in files} <= {domain.id for domain in domains}
        assert urls and {url.sitemap_id for url in urls} <= {file.id for file in files}
        assert urls[0].lastmod.year == 2025
        assert {file.status for file in files} <= set(STEPS) and {url.status for url in urls} == {"Pending"}
        waiting = select(func.count()).select_from(SitemapUrl).where(SitemapUrl.status == "Pending")
        assert session.scalar(waiting) == len(urls)
    print(f"read {len(domains)} domains, {len(jobs)} jobs, {len(batches)} batches, {len(files)} files, {len(urls)} URLs")


main(sys.argv[1])
