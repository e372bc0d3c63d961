"""Every sentence of the screens in English, under the names of `ui/wording/zh_tw`."""
