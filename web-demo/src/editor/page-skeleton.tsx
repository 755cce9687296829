/** The whole view, while not even its code is here. */
export function DocumentSkeleton() {
  return (
    <div className="document">
      <div className="topbar" />
      <PageSkeleton />
    </div>
  );
}

/** Where the toolbar and the page will be, so that nothing moves when they come. */
export function PageSkeleton() {
  return (
    <>
      <div className="toolbar-frame" />
      <main className="desk" aria-busy="true" aria-label="The document is being opened">
        <div className="page page--skeleton">
          {[62, 96, 88, 93, 40].map((width) => (
            <div key={width} className="skeleton-line" style={{ width: `${width}%` }} />
          ))}
        </div>
      </main>
    </>
  );
}
