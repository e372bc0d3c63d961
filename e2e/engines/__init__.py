"""Browser engines other than Chromium: Firefox ESR by WebDriver BiDi, WebKitGTK by WebDriver; one face for both."""
