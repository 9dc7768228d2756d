"""What a run can show beside numbers: images, sound, video, pages, texts, histograms, tables."""
